"""The page of `motet phase`: verdicts and profiles, without a script, readable from disk."""

from collections.abc import Sequence
from pathlib import Path

from jaxtyping import Float
from torch import Tensor

from .. import __version__
from ..condensate import Verdict
from ..condensate.predictor import REFERENCE
from ..forcefield import Conditions
from ..io import atomic_write
from .literature import cited
from .page import environment

SHOWN = 50
POINTS = 500  # of a profile: as many as a screen can tell apart
WORKS = ("lazaridis1999", "tesei2023", "flory1942", "huggins1942", "pintado2025")


def write_phase(
    verdicts: Sequence[Verdict], title: str, conditions: Conditions, members: int, directory: Path
) -> None:
    """Write `report.html`: a table and the profiles of the highest."""
    best = sorted(verdicts, key=lambda one: -one.driver)[:SHOWN]
    text = (
        environment()
        .get_template("phase.html.j2")
        .render(
            title=title,
            total=len(verdicts),
            shown=best,
            members=members,
            conditions=_named(conditions),
            reference=REFERENCE,
            citations=cited(WORKS),
            version=__version__,
            points=_points,
        )
    )
    with atomic_write(directory / "report.html", overwrite=True) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _named(conditions: Conditions) -> str:
    salt = 1000 * conditions.ionic_strength
    return f"{conditions.temperature:g} K, {salt:g} mM salt, pH {conditions.ph:g}"


def _points(profile: Float[Tensor, "residues"]) -> str:
    """The profile as points of a polyline in a box of 1000 by 120."""
    values = profile.tolist()
    step = max(1, len(values) // POINTS)
    last = max(1, len(values) - 1)
    return " ".join(f"{1000 * i / last:.1f},{119 - 118 * values[i]:.1f}" for i in range(0, len(values), step))
