"""The page of `motet phase`: verdicts and profiles, without a script, readable from disk."""

from collections.abc import Sequence
from pathlib import Path

from ..condensate import Verdict
from ..condensate.predictor import REFERENCE
from ..forcefield import Conditions
from .charts import lines_chart
from .literature import cited
from .numbers import count, signed
from .plain import Figure, Page, Table, write_page

SHOWN = 50
WORKS = ("lazaridis1999", "tesei2023", "flory1942", "huggins1942", "pintado2025")
COLUMNS = (
    "protein",
    "residues",
    "driver",
    "range",
    "client",
    "percentile",
    "c_sat (µM)",
    "by physics",
    "learnt",
)
METHOD = (
    "The logit is the sum of a physical part, whose weights are positive, and a learnt part that is bounded. "
    "The physical part knows contact free energies of residue pairs by motet’s all-atom force field, "
    "residue-level contacts and charges (CALVADOS 2), and a Flory-Huggins binodal."
)


def write_phase(
    verdicts: Sequence[Verdict], title: str, conditions: Conditions, members: int, directory: Path
) -> None:
    """Write `report.html`: a table and the profiles of the highest."""
    best = sorted(verdicts, key=lambda one: -one.driver)[:SHOWN]
    sentences = [
        f"{count(len(verdicts), 'protein')} at {_named(conditions)}.",
        "The probability that a protein drives phase separation stands with the range of one standard deviation "
        f"over {members} networks; the percentile says how many of the reference set, {REFERENCE}, score lower.",
        "The saturation concentration is a mean-field estimate for the disordered part: trust its order among "
        "variants, not its size.",
    ]
    shown = "" if len(best) == len(verdicts) else f"The {len(best)} highest; phase.csv holds them all."
    table = Table(shown or "Verdicts", COLUMNS, [_row(one) for one in best], broad=True)
    content = [table, *(_profile(one) for one in best)]
    page = Page(title, "Phase separation · motet phase", sentences, content, cited(WORKS), method=(METHOD,))
    write_page(page, directory / "report.html")


def _row(verdict: Verdict) -> list[str]:
    return [
        verdict.name,
        str(len(verdict.sequence)),
        f"{verdict.driver:.2f}",
        f"{verdict.driver_low:.2f}–{verdict.driver_high:.2f}",
        f"{verdict.client:.2f}",
        f"{verdict.percentile:.0f}",
        f"{verdict.saturation:.3g}",
        signed(verdict.by_physics, 2),
        signed(verdict.by_learning, 2),
    ]


def _profile(verdict: Verdict) -> Figure:
    series = {"drives, and takes part": verdict.profile.tolist(), "disordered": verdict.disorder.tolist()}
    return Figure.wide(
        verdict.name,
        lambda width: lines_chart(
            "profile",
            f"Profile of {verdict.name}",
            series,
            x_label="residue",
            y_label="probability",
            width=width,
            height=190,
            y_range=(0.0, 1.0),
        ),
        "How likely the protein drives and this residue takes part, and how likely the residue is disordered.",
    )


def _named(conditions: Conditions) -> str:
    salt = 1000 * conditions.ionic_strength
    return f"{conditions.temperature:g} K, {salt:g} mM salt, pH {conditions.ph:g}"
