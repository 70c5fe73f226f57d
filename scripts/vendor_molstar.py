"""Put the Mol* viewer into `src/motet/report/vendor/molstar`.

    npm pack molstar@5.11.0
    python scripts/vendor_molstar.py molstar-5.11.0.tgz

Done once, by whoever raises the version; neither building nor using motet needs npm or the network. Only the
viewer bundle and the licence are taken. The bundle is stored gzipped, without a time stamp, so that the same
archive gives the same bytes. `npm pack` checks what it fetches against the registry's own SHA-512; PROVENANCE.json
keeps the SHA-256 of the archive and of each file, and a test compares them.
"""

import argparse
import gzip
import hashlib
import json
import tarfile
from pathlib import Path

TARGET = Path(__file__).parents[1] / "src/motet/report/vendor/molstar"
BUNDLE, LICENSE, MANIFEST = "package/build/viewer/molstar.js", "package/LICENSE", "package/package.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("archive", type=Path, help="what `npm pack molstar@VERSION` wrote")
    archive = parser.parse_args().archive
    with tarfile.open(archive) as tar:
        bundle, licence, manifest = (_member(tar, name) for name in (BUNDLE, LICENSE, MANIFEST))
    TARGET.mkdir(parents=True, exist_ok=True)
    (TARGET / "molstar.js.gz").write_bytes(gzip.compress(bundle, 9, mtime=0))
    (TARGET / "LICENSE").write_bytes(licence)
    version = json.loads(manifest)["version"]
    provenance = {
        "name": "molstar",
        "version": version,
        "license": json.loads(manifest)["license"],
        "origin": f"npm molstar@{version}",
        "archive_sha256": _sha256(archive.read_bytes()),
        "files": {
            "molstar.js": {"origin": BUNDLE, "stored": "molstar.js.gz", "sha256": _sha256(bundle)},
            "LICENSE": {"origin": LICENSE, "stored": "LICENSE", "sha256": _sha256(licence)},
        },
    }
    (TARGET / "PROVENANCE.json").write_text(json.dumps(provenance, indent=2) + "\n", encoding="utf-8")


def _member(tar: tarfile.TarFile, name: str) -> bytes:
    stream = tar.extractfile(name)
    assert stream is not None, f"{name} is not a plain file in this archive"
    return stream.read()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


if __name__ == "__main__":
    main()
