"""Scripts that open the results in ChimeraX and PyMOL, coloured as in the report."""

from pathlib import Path

from ..ensemble import Analysis
from ..io import atomic_write, suffix_for
from .palette import state_colour


def write_views(analysis: Analysis, directory: Path) -> None:
    """Write `view.cxc` (ChimeraX) and `view.pml` (PyMOL) beside the models they open."""
    suffix = suffix_for(analysis.ensemble.structure)
    colours = [state_colour(state.label) for state in analysis.states.states]
    for name, text in (("view.cxc", _chimerax(colours, suffix)), ("view.pml", _pymol(colours, suffix))):
        with atomic_write(directory / name, overwrite=True) as temporary:
            temporary.write_text(text)


def _chimerax(colours: list[str], suffix: str) -> str:
    lines = ["# ChimeraX: open this file, or type `open view.cxc` in this directory."]
    lines += [f"open state-{label}{suffix} name state-{label}" for label in range(len(colours))]
    lines += [f"color #{label + 1} {colour}" for label, colour in enumerate(colours)]
    flexible = len(colours) + 1
    lines += [
        f"open rmsf{suffix} name rmsf",
        f"color byattribute bfactor #{flexible} palette blue:white:red",
        f"hide #{flexible} models",
        "cartoon",
        "hide atoms",
        "view",
    ]
    return "\n".join(lines) + "\n"


def _pymol(colours: list[str], suffix: str) -> str:
    lines = ["# PyMOL: `pymol view.pml` in this directory."]
    lines += [f"load state-{label}{suffix}, state-{label}" for label in range(len(colours))]
    lines += [f"color 0x{colour.removeprefix('#')}, state-{label}" for label, colour in enumerate(colours)]
    lines += [
        f"load rmsf{suffix}, rmsf",
        "spectrum b, blue_white_red, rmsf",
        "disable rmsf",
        "hide everything",
        "show cartoon",
        "orient",
    ]
    return "\n".join(lines) + "\n"
