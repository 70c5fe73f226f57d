"""Energy by term: where each term lies over the ensemble."""

from markupsafe import Markup

from ...ensemble import Analysis
from ..names import term_name
from ..numbers import significant, with_error
from ..summary import TermSummary, term_summaries
from .axes import Frame, Scale, x_axis
from .chart import Chart, Hover
from .svg import Length, drawing, element, number, text

ROW = 46
HEAD, FOOT = 4, 54


def energy_terms_chart(analysis: Analysis, width: Length = 460) -> Chart:
    """One row a term, lowest mean first: line 5-95 %, bar 25-75 %, dot the mean; mean ± deviation in words."""
    terms = sorted(term_summaries(analysis.ensemble), key=lambda term: term.mean)
    height = HEAD + ROW * len(terms) + FOOT
    frame = Frame(width, height, left=16, right=16, top=HEAD, bottom=44)
    x = Scale.over([0.0, *(value for term in terms for value in term.quantiles)], *frame.x)
    rows = [HEAD + ROW * (i + 0.72) for i in range(len(terms))]
    parts = [_zero(frame, x), x_axis(frame, x, "energy (kcal/mol)")]
    parts += [_row(term, x, y, frame) for term, y in zip(terms, rows, strict=True)]
    said = [
        f"{term_name(term.name)}\nmean {significant(term.mean)}, 5-95 %: "
        f"{significant(term.quantiles[0])} to {significant(term.quantiles[-1])} kcal/mol"
        for term in terms
    ]
    hover = Hover([x(term.mean) for term in terms], rows, said, reach=24.0)
    description = "; ".join(f"{term_name(term.name)} {significant(term.mean)} kcal/mol" for term in terms)
    return Chart(
        "energy-terms", drawing(width, height, "Energy by term, mean of each", description, *parts), hover
    )


def _zero(frame: Frame, x: Scale) -> Markup:
    return element("path", d=f"M{number(x(0.0))} {frame.top}V{number(frame.y[0])}", class_="divide")


def _row(term: TermSummary, x: Scale, y: Length, frame: Frame) -> Markup:
    """Name and number above, the box below."""
    lowest, lower, upper, highest = (x(value) for value in term.quantiles)
    name = text(term_name(term.name), frame.left, y - 14, "start", "name")
    value = text(with_error(term.mean, term.deviation), frame.width - frame.right, y - 14, "end", "value")
    line = element("path", d=f"M{number(lowest)} {number(y)}H{number(highest)}", class_="whisker")
    box = element("path", d=f"M{number(lower)} {number(y)}H{number(max(upper, lower + 0.5))}", class_="box")
    return Markup("").join([name, value, line, box, element("circle", cx=x(term.mean), cy=y, r=4, class_="mean")])
