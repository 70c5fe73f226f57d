import bz2
import gzip
import lzma
import os
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from motet import io
from motet.errors import FormatError, OutputExistsError
from motet.io.notebook import shown
from motet.io.opening import load, stem_of

TEXT = b"ATOM and so on\n" * 1000


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, bytes])
def test_content_decides_on_unpacking(pack, tmp_path):
    path = tmp_path / "any.name"
    path.write_bytes(pack(TEXT))
    assert load(path).data == TEXT


def test_all_members_are_read(tmp_path):
    path = tmp_path / "two.gz"
    path.write_bytes(gzip.compress(TEXT) + gzip.compress(b"more") + b"\0" * 512)
    assert load(path).data == TEXT + b"more"


@pytest.mark.parametrize("cut", [3, 12, 40, -1, -8])
@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_a_cut_off_file_is_refused(cut, pack, tmp_path):
    path = tmp_path / "cut.gz"
    whole = pack(os.urandom(5000))
    path.write_bytes(whole[: max(cut, 6) if cut > 0 else cut])
    with pytest.raises(FormatError, match=r"ends too early|damaged"):
        load(path)


def test_garbage_behind_a_member_is_refused(tmp_path):
    path = tmp_path / "odd.gz"
    path.write_bytes(gzip.compress(TEXT) + b"garbage")
    with pytest.raises(FormatError, match="garbage"):
        load(path)


def test_a_bomb_is_stopped_before_it_fills_the_memory(tmp_path):
    path = tmp_path / "bomb.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        for _ in range(300):
            file.write(bytes(1 << 20))
    tracemalloc.start()
    with pytest.raises(FormatError, match="bomb"):
        load(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 300 << 20


@pytest.mark.parametrize(
    ("head", "word"), [(b"PK\x03\x04", "zip"), (b"\0" * 257 + b"ustar", "tar"), (gzip.compress(b"x"), "twice")]
)
def test_archives_are_refused(head, word, tmp_path):
    path = tmp_path / "archive.gz"
    path.write_bytes(gzip.compress(head + bytes(600)))
    with pytest.raises(FormatError, match=word):
        load(path)


def test_what_is_no_file_is_refused(tmp_path):
    for path in (tmp_path, tmp_path / "none.pdb", "/dev/zero", "nul\0byte"):
        with pytest.raises(FormatError):
            load(path)


@given(st.text(max_size=60))
def test_a_stem_is_safe_in_any_file_name(text):
    stem = stem_of(text)
    assert stem
    assert not stem.startswith((".", "-"))
    assert all(c.isascii() and (c.isalnum() or c in "._-") for c in stem)


@given(st.text())
def test_foreign_text_is_shown_as_one_printable_line(text):
    assert shown(text).isprintable()
    assert len(shown(text)) <= 120


def test_a_hostile_name_does_not_reach_the_terminal(tmp_path):
    path = tmp_path / "a\n\x1b[31mb.pdb"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(FormatError) as refusal:
        io.read(path)
    assert str(refusal.value).isprintable()


def test_a_failed_write_leaves_nothing(tmp_path):
    def write_half():
        with io.atomic_write(tmp_path / "out") as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_half()
    assert not list(tmp_path.iterdir())


def test_a_file_is_replaced_only_when_asked(tmp_path):
    path = tmp_path / "out.txt"
    io.write_text(path, "first")
    with pytest.raises(OutputExistsError):
        io.write_text(path, "second")
    assert path.read_text() == "first"
    io.write_text(path, "second", overwrite=True)
    assert path.read_text() == "second"
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.txt"]


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FormatError, match="folder"):
        io.write_text(tmp_path / "none" / "out.txt", "text")
