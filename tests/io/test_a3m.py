import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from motet import io
from motet.errors import FormatError

COLUMNS = 7
ROW = st.lists(
    st.tuples(st.text("acdxyz", max_size=3), st.sampled_from("ACDX-")), min_size=COLUMNS, max_size=COLUMNS
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(rows=st.lists(ROW, min_size=1, max_size=6))
def test_columns_and_deletions_are_counted_as_written(tmp_path, rows):
    """A row is built as (insertion, column) pairs; reading gives the columns and the insertions' lengths."""
    text = ">query\n" + "ACDEFGH" + "\n"
    for number, row in enumerate(rows):
        text += f">row{number}\n" + "".join(
            (insertion.replace("x", "k").replace("y", "l").replace("z", "m") + column) for insertion, column in row
        )
        text += "ttt\n" if number % 2 else "\n"
    path = tmp_path / "made.a3m"
    path.write_text(text)
    alignment = io.read_a3m(path)
    assert alignment.query == "ACDEFGH"
    assert alignment.rows[1:] == tuple("".join(column for _, column in row) for row in rows)
    np.testing.assert_array_equal(alignment.deletions[1:], [[len(i) for i, _ in row] for row in rows])


def test_a_real_alignment(shared):
    alignment = io.read_a3m(shared / "fold/2QKEE_colabfold.a3m")
    text = (shared / "fold/2QKEE_colabfold.a3m").read_text()
    assert alignment.depth == text.count(">")
    assert {len(row) for row in alignment.rows} == {len(alignment)}
    assert alignment.deletions.shape == (alignment.depth, len(alignment))
    lower = sum(c.islower() for line in text.split("\n") if not line.startswith((">", "#")) for c in line)
    assert 0 < alignment.deletions.sum() <= lower


def test_rows_of_unlike_width_are_refused(tmp_path):
    path = tmp_path / "made.a3m"
    path.write_text(">q\nMKT\n>a\nMKTA\n")
    with pytest.raises(FormatError, match=r"row 2 .* has 4 columns, the query 3"):
        io.read_a3m(path)
