import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from motet import io
from motet.errors import FormatError


def read(tmp_path, text):
    path = tmp_path / "made.fasta"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return io.read_fasta(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    bodies=st.lists(st.text("ACDEFGHIKLMNPQRSTVWY", min_size=3, max_size=50), min_size=1, max_size=5),
    width=st.integers(1, 60),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_sequences_come_back_however_they_are_wrapped(tmp_path, bodies, width, end):
    lines = []
    for number, body in enumerate(bodies):
        lines += [f">s{number} a word", *(body[k : k + width] for k in range(0, len(body), width))]
    found = read(tmp_path, end.join(lines))
    assert [sequence.residues for sequence in found] == bodies
    assert [sequence.id for sequence in found] == [f"s{k}" for k in range(len(bodies))]
    assert {sequence.description for sequence in found} == {"a word"}
    assert found[0].notes == ()


def test_equal_ids_are_numbered_and_stay_unique(tmp_path):
    names = [sequence.id for sequence in read(tmp_path, ">x\nMKT\n>x_2\nMKT\n>x\nMKT\n>x\nMKT\n")]
    assert len(set(names)) == 4
    assert names[:2] == ["x", "x_2"]


def test_a_stop_and_gaps_go(tmp_path):
    assert read(tmp_path, ">x\nmk-t.a*\n")[0].residues == "MKTA"


@pytest.mark.parametrize(
    "text", ["", ">x\n", ">x\n---\n", ">x\nMK\u03a4\n", ">x\nMK*T\n", ">x\nMK@T\n", b">x\nMK\xffT\n"]
)
def test_what_is_no_sequence_is_refused(text, tmp_path):
    with pytest.raises(FormatError):
        read(tmp_path, text)


def test_control_characters_leave_the_header(tmp_path):
    sequence = read(tmp_path, ">a\x1b[31mb c\x07d\nMKT\n")[0]
    assert (sequence.id + sequence.description).isprintable()
