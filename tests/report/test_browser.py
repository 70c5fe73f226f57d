"""The report in a real browser: it draws, it stays silent, it fits; on a screen and on a phone, light and dark."""

import numpy as np
import pytest
from matplotlib.image import imread

from motet.report import write
from motet.report.palette import state_colour

from .browser import Browser, executable

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(executable() is None, reason="needs a Chromium: apt-get install chromium"),
]
SCREEN, PHONE, SMALL_PHONE = (1280, 900), (390, 844), (375, 667)
LOCAL = ("data:", "blob:")
VIEW = "#viewer canvas"


@pytest.fixture(scope="module")
def report(analysis, record, tmp_path_factory):
    return write(analysis, record, tmp_path_factory.mktemp("report"))


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    program = executable()
    assert program is not None
    with Browser(program, tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture(
    params=[(SCREEN, False), (PHONE, True), (SMALL_PHONE, False)], ids=["screen", "phone", "small phone"]
)
def opened(request, browser, report):
    """The page in a window of a size, with a preference for light or dark; and the width of the window."""
    (width, height), dark = request.param
    browser.events.clear()
    browser.size(width, height, dark=dark)
    browser.open(report)
    return browser, width


def pixels(browser, path, of):
    """A picture of one element, as values of 0 to 255."""
    return (255 * imread(browser.picture(path, of=of))[..., :3]).round()


def share_near(image, colour, within=40):
    """Share of pixels whose hue is that of a colour, whatever the light on it."""
    aim = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], dtype=float)
    lengths = np.linalg.norm(image, axis=-1)
    cosine = (image @ aim) / np.maximum(lengths * np.linalg.norm(aim), 1)
    return float(((cosine > 0.985) & (lengths > within)).mean())


def test_the_page_draws_stays_silent_and_fits(opened, report, analysis, tmp_path):
    opened, width = opened
    assert opened.value("document.documentElement.dataset.viewer") == "ready"
    image = pixels(opened, tmp_path / "view.png", VIEW)
    for state in analysis.states.states:
        assert share_near(image, state_colour(state.label)) > 0.003, f"state {state.label} is not seen"
    assert opened.complaints() == []
    away = [url for url in opened.requests() if not url.startswith(LOCAL) and url != report.resolve().as_uri()]
    assert away == []
    # Not innerWidth: a phone widens that to fit a page that does not fit it.
    assert opened.value("document.documentElement.scrollWidth") <= width


def test_light_and_dark_follow_the_reader_and_the_button(browser, report, tmp_path):
    def brightness():
        return pixels(browser, tmp_path / "page.png", "h1").mean()

    browser.size(*SCREEN, dark=True)
    browser.open(report)
    dark = brightness()
    browser.value("document.getElementById('theme').click()")
    light = brightness()
    assert dark < 100 < 180 < light
    view = pixels(browser, tmp_path / "view.png", VIEW)
    assert view[0, 0].mean() > 180, "the 3-D view follows"


def test_controls_show_what_they_say(browser, report, analysis, tmp_path):
    first, second = (state_colour(state.label) for state in analysis.states.states[:2])

    def click(selector):
        browser.value(f"document.querySelector({selector!r}).click()")

    def shares():
        browser.value(
            "new Promise(done => { let n = 6;"
            " const next = () => n-- ? requestAnimationFrame(next) : done(1); next(); })"
        )
        image = pixels(browser, tmp_path / "view.png", VIEW)
        return share_near(image, first), share_near(image, second)

    browser.size(*SCREEN)
    browser.open(report)
    both = shares()
    click("#state-filter input[value='0']")
    alone = shares()
    assert alone[0] < 0.001 < alone[1]
    click("#state-filter input[value='0']")
    click("input[name=colour][value=rmsf]")
    browser.wait("!document.getElementById('ramp').hidden")
    assert shares()[1] < both[1]
    click("input[name=colour][value=state]")
    click("input[name=show][value=members]")
    browser.wait("document.documentElement.dataset.show === 'members'")
    assert shares()[0] > 0.003
    click("input[name=show][value=play]")
    browser.wait("document.documentElement.dataset.show === 'play'")
    browser.wait("document.getElementById('frame-name').textContent.startsWith('conformation')")
    assert browser.complaints() == []


def test_a_point_of_a_chart_says_what_it_is(browser, report, analysis):
    browser.size(*SCREEN)
    browser.open(report)
    browser.value("document.querySelector('[data-chart=rmsf-1040]').scrollIntoView({behavior: 'instant'})")
    box = browser.value(
        "(() => { const b = document.querySelector('[data-chart=rmsf-1040] svg').getBoundingClientRect();"
        " return [b.x, b.y, b.width, b.height]; })()"
    )
    x = box[0] + box[2] * 0.999
    browser.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=box[1] + box[3] / 2)
    words = browser.wait("!document.getElementById('tip').hidden && document.getElementById('tip').textContent")
    assert words.startswith(analysis.observables.residue_labels[-1])


def test_downloads_are_the_files(browser, report, analysis):
    """What a button offers is caught on its way out, since a browser without a window saves nothing."""
    browser.size(*SCREEN)
    browser.open(report)
    browser.value(
        "(() => { window.offered = []; HTMLAnchorElement.prototype.click = function () {"
        " offered.push([this.download, this.href]); };"
        " const make = URL.createObjectURL; URL.createObjectURL = blob => {"
        " blob.text().then(text => offered.push(text)); return make(blob); }; })()"
    )
    browser.value("document.querySelector('button[data-file=\"states.csv\"]').click()")
    browser.wait("offered.length >= 2")
    offered = browser.value("offered")
    assert any(one[0] == "states.csv" for one in offered if isinstance(one, list))
    table = next(one for one in offered if isinstance(one, str))
    assert len(table.splitlines()) == len(analysis.states) + 1


def test_without_webgl_the_page_says_so_and_the_rest_works(browser, report):
    browser.size(*SCREEN)
    hook = browser.call(
        "Page.addScriptToEvaluateOnNewDocument",
        source="HTMLCanvasElement.prototype.getContext = () => null;",
    )
    try:
        browser.open(report)
        assert browser.value("document.documentElement.dataset.viewer") == "failed"
        assert "cannot draw" in browser.value("document.getElementById('viewer-message').textContent")
        assert browser.value("!document.querySelector('button.download').disabled")
    finally:
        browser.call("Page.removeScriptToEvaluateOnNewDocument", identifier=hook["identifier"])
