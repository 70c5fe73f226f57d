"""How scripts and data lie in the page: compressed, and named one by one in its content security policy."""

import base64
import gzip
import hashlib
import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True)
class Viewer:
    """The vendored build of Mol*."""

    version: str
    packed: str
    licence: str
    hash: str


@cache
def viewer() -> Viewer:
    """Mol* as it stands in the package."""
    folder = files("motet.report").joinpath("vendor/molstar")
    provenance = json.loads(folder.joinpath("PROVENANCE.json").read_text(encoding="utf-8"))
    stored = folder.joinpath("molstar.js.gz").read_bytes()
    return Viewer(
        provenance["version"],
        base64.b64encode(stored).decode(),
        folder.joinpath("LICENSE").read_text(encoding="utf-8"),
        script_hash(gzip.decompress(stored).decode()),
    )


def packed(value: Any) -> str:
    """A value as JSON, gzipped, in base64: no character of it can end a script element."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return base64.b64encode(gzip.compress(text.encode(), 9, mtime=0)).decode()


def script_hash(text: str) -> str:
    """The name by which a content security policy lets this very script (or style) through, and no other."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def security_policy(scripts: list[str]) -> str:
    """Nothing may be fetched; only these scripts may run.

    Mol* sets styles from its script and reads its pictures back as `blob:` and `data:`. The video encoder in its
    bundle builds functions from text and unpacks itself from a `data:` address as it loads, hence `unsafe-eval`
    (which lets no script in by itself) and `connect-src data:` (which reaches nothing outside the page).
    """
    allowed = " ".join(scripts)
    return (
        f"default-src 'none'; script-src {allowed} 'unsafe-eval'; style-src 'unsafe-inline'; img-src data: blob:; "
        "connect-src data:; base-uri 'none'; form-action 'none'"
    )
