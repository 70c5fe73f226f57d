"""Weights on this machine: added, unpacked, listed, exported; hostile archives are refused."""

import io
import tarfile

import numpy as np
import pytest

from motet.errors import ConfigError, FormatError, MissingWeightsError, OutputExistsError
from motet.fold import archive, preset, store
from motet.fold.parameters import entries, official_shape

MODEL = "model_3_ptm"


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("MOTET_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture(scope="module")
def official(tmp_path_factory):
    """A file of the official size and layout, of small integers, which pack well."""
    path = tmp_path_factory.mktemp("official") / f"params_{MODEL}.npz"
    arrays = {}
    for number, entry in enumerate(entries(preset(MODEL))):
        shape = official_shape(entry, preset(MODEL))
        arrays[entry.official] = (np.arange(np.prod(shape)) % (7 + number)).astype(np.float32).reshape(shape)
    np.savez_compressed(path, **arrays)
    return path


def packed(path, *members):
    with tarfile.open(path, "w") as tar:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def silent(done, in_all):
    assert 0 <= done <= in_all


@pytest.mark.slow
def test_weights_come_out_of_the_store_as_they_went_in(official, home, tmp_path):
    record = store.add(official)
    assert record.model == MODEL
    assert store.stored() == (record,)
    assert (home / "alphafold2" / f"{MODEL}.safetensors").exists()
    store.export(MODEL, tmp_path / "again.npz")
    with np.load(official) as before, np.load(tmp_path / "again.npz") as after:
        assert set(before.files) == set(after.files)
        assert all(before[name].tobytes() == after[name].tobytes() for name in before.files)
    with pytest.raises(OutputExistsError):
        store.add(official)


@pytest.mark.slow
def test_an_archive_gives_what_was_asked_for_and_nothing_else(official, home, tmp_path):
    tar = packed(
        tmp_path / "params.tar",
        ("LICENSE", b"CC BY 4.0"),
        ("../../outside.txt", b"path traversal"),
        (f"../{official.name}", official.read_bytes()),
    )
    (record,) = archive.add_archive(tar, (MODEL,), silent)
    assert record.source == official.name
    assert sorted(path.name for path in (home / "alphafold2").iterdir()) == [
        f"{MODEL}.safetensors",
        f"{MODEL}.safetensors.json",
    ]
    assert not list(tmp_path.parent.rglob("outside.txt"))


def test_an_archive_that_is_cut_short_is_refused_and_leaves_nothing(home, tmp_path):
    data = packed(tmp_path / "params.tar", (f"params_{MODEL}.npz", bytes(100_000))).read_bytes()
    (tmp_path / "short.tar").write_bytes(data[:50_000])
    with pytest.raises(FormatError, match=r"no whole archive|ends within"):
        archive.add_archive(tmp_path / "short.tar", (MODEL,), silent)
    assert not list((home / "alphafold2").iterdir())


def test_an_archive_without_the_model_is_refused(tmp_path):
    tar = packed(tmp_path / "params.tar", ("params_model_1.npz", b"x"))
    with pytest.raises(FormatError, match=r"lacks params_model_3_ptm\.npz"):
        archive.add_archive(tar, (MODEL,), silent)


def test_a_member_that_is_a_link_is_refused(tmp_path):
    with tarfile.open(tmp_path / "params.tar", "w") as tar:
        info = tarfile.TarInfo(f"params_{MODEL}.npz")
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(info)
    with pytest.raises(FormatError, match="something else"):
        archive.add_archive(tmp_path / "params.tar", (MODEL,), silent)


def test_something_that_is_no_archive_is_refused(tmp_path):
    (tmp_path / "params.tar").write_bytes(b"<html>not found</html>" * 100)
    with pytest.raises(FormatError, match="no whole archive"):
        archive.add_archive(tmp_path / "params.tar", (MODEL,), silent)


def test_damaged_parameters_are_refused(tmp_path, home):
    (tmp_path / f"params_{MODEL}.npz").write_bytes(b"PK\3\4 and nothing more")
    with pytest.raises(FormatError, match="no whole npz"):
        store.add(tmp_path / f"params_{MODEL}.npz")
    assert not list((home / "alphafold2").iterdir())


def test_missing_weights_say_what_to_do(home):
    with pytest.raises(MissingWeightsError, match="motet weights fetch alphafold2 --model model_4") as caught:
        store.load("model_4")
    assert str(home) in str(caught.value)
    assert store.stored() == ()


def test_a_name_that_says_nothing_needs_the_model_named(tmp_path):
    with pytest.raises(ConfigError, match="--model"):
        store.add(tmp_path / "mine.npz")
    with pytest.raises(ConfigError, match="no model of AlphaFold2"):
        store.place_of("model_9")


def test_the_home_is_that_of_the_environment(monkeypatch, tmp_path):
    monkeypatch.delenv("MOTET_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert store.folder() == tmp_path / "motet" / "alphafold2"


@pytest.mark.network
def test_the_official_archive_is_where_it_was():
    import urllib.request

    request = urllib.request.Request(archive.URL, method="HEAD")
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert int(answer.headers["Content-Length"]) > 3 << 30
