"""The viewer in the package is the one that its provenance names."""

import gzip
import hashlib
import json
from importlib.resources import files

from motet.report.embedding import viewer


def test_vendored_files_are_what_they_were():
    folder = files("motet.report").joinpath("vendor/molstar")
    provenance = json.loads(folder.joinpath("PROVENANCE.json").read_text(encoding="utf-8"))
    assert provenance["origin"] == f"npm molstar@{provenance['version']}"
    for entry in provenance["files"].values():
        content = folder.joinpath(entry["stored"]).read_bytes()
        content = gzip.decompress(content) if entry["stored"].endswith(".gz") else content
        assert hashlib.sha256(content).hexdigest() == entry["sha256"]


def test_the_bundle_names_the_same_version():
    stored = files("motet.report").joinpath("vendor/molstar/molstar.js.gz").read_bytes()
    assert f'"{viewer().version}"'.encode() in gzip.decompress(stored)
