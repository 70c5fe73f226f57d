"""The frame of the commands, around work that does nothing but count."""

import json

import pytest
import typer

from motet.cli.batch import digests
from motet.cli.run import Request
from motet.ensemble.checkpoint import has_parts
from motet.errors import ConfigError, FormatError, OutputExistsError, ResumeError
from motet.structure import Note


def request(**changes):
    settings = {
        "command": "count",
        "arguments": {"to": 3, "structure": "here"},
        "overwrite": False,
        "as_json": False,
    }
    return Request(**settings | changes)


@pytest.fixture
def counted():
    """Work that writes one part a call, and how often it was called."""
    calls = []

    def work(run):
        calls.append(run.parts())
        run.note((Note("kept", "a word"),))
        (calls[-1] / "part").write_text("work")
        return {"calls": len(calls)}

    return work, calls


def test_the_same_request_is_answered_and_leaves_no_parts(counted, tmp_path):
    work, calls = counted
    first = request().once({"input": "a"}, tmp_path / "out", work)
    moved = request(arguments={"to": 3, "structure": "elsewhere"})
    assert moved.once({"input": "a"}, tmp_path / "out", work) == first == {"calls": 1}
    assert len(calls) == 1
    record = json.loads((tmp_path / "out/run.json").read_text())
    assert record["notes"] == [["kept", "a word"]]
    assert record["timings"].keys() == {"total"}
    assert {one.name for one in (tmp_path / "out").iterdir()} == {"run.json", "summary.json"}


@pytest.mark.parametrize(
    ("changes", "inputs"),
    [({"arguments": {"to": 4}}, {"input": "a"}), ({"seed": 1}, {"input": "a"}), ({}, {"input": "b"})],
)
def test_another_request_is_refused_unless_it_may_overwrite(counted, tmp_path, changes, inputs):
    work, calls = counted
    request().once({"input": "a"}, tmp_path / "out", work)
    with pytest.raises(OutputExistsError):
        request(**changes).once(inputs, tmp_path / "out", work)
    assert len(calls) == 1
    request(**changes, overwrite=True).once(inputs, tmp_path / "out", work)
    assert len(calls) == 2


def test_a_stopped_run_keeps_its_parts_for_the_same_request_alone(counted, tmp_path, capsys):
    work, _ = counted

    def stopped(run):
        work(run)
        raise KeyboardInterrupt

    with pytest.raises(typer.Exit) as ended:
        request().once({"input": "a"}, tmp_path / "out", stopped)
    assert ended.value.exit_code == 130
    assert "repeat the same command" in capsys.readouterr().err
    with pytest.raises(ResumeError, match="another seed"):
        request(seed=1).once({"input": "a"}, tmp_path / "out", work)
    assert has_parts(tmp_path / "out")
    assert request().once({"input": "a"}, tmp_path / "out", work) == {"calls": 2}
    assert not has_parts(tmp_path / "out")


def test_a_refusal_leaves_nothing_behind_but_work(counted, tmp_path):
    work, _ = counted

    def refused(run):
        run.parts()
        raise ConfigError("no.")

    def refused_late(run):
        work(run)
        raise ConfigError("no.")

    for attempt, left in ((refused, False), (refused_late, True)):
        with pytest.raises(ConfigError):
            request().once({"input": "a"}, tmp_path / "out", attempt)
        assert (tmp_path / "out").exists() == left


def test_inputs_of_one_name_are_told_apart_and_a_folder_is_what_it_holds(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "half.mrc").write_text(folder)
    both = digests(tmp_path / "a/half.mrc", tmp_path / "b/half.mrc")
    assert len(set(both.values())) == 2
    before = digests(tmp_path / "a")
    (tmp_path / "a/half.mrc").write_text("changed")
    assert before.keys() == digests(tmp_path / "a").keys() == {"a"}
    assert before != digests(tmp_path / "a")
    with pytest.raises(FormatError, match="no such file"):
        digests(tmp_path / "absent")
