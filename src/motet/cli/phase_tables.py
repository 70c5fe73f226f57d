"""What `motet phase` writes and says: tables of verdicts, profiles and mutations."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..condensate import MutationEffect, Verdict

LISTED = 25
COLUMNS = (
    "name",
    "residues",
    "driver",
    "driver_low",
    "driver_high",
    "client",
    "percentile",
    "csat_uM",
    "logit_physics",
    "logit_learned",
)


def write_verdicts(verdicts: "Sequence[Verdict]", directory: Path) -> None:
    """Write phase.csv, a row a protein, and profiles.csv, a row a residue."""
    from ..io import write_table

    rows = ([_cell(row(one)[name]) for name in COLUMNS] for one in verdicts)
    write_table(directory / "phase.csv", COLUMNS, rows, overwrite=True)
    lines = (
        (one.name, i + 1, one.sequence[i], f"{region:.4f}", f"{loose:.4f}")
        for one in verdicts
        for i, (region, loose) in enumerate(zip(one.profile.tolist(), one.disorder.tolist(), strict=True))
    )
    header = ("name", "residue", "letter", "driving_region", "disorder")
    write_table(directory / "profiles.csv", header, lines, overwrite=True)


def write_effects(effects: "Sequence[tuple[str, MutationEffect]]", directory: Path) -> None:
    """Write mutations.csv."""
    from ..io import write_table

    header = ("name", "mutation", "strengthens", "delta_logit", "spread", "delta_ln_csat", "delta_disorder")
    rows = (
        (
            name,
            one.mutation,
            *(
                f"{value:.4f}"
                for value in (one.strengthens, one.logit, one.spread, one.log_saturation, one.disorder)
            ),
        )
        for name, one in effects
    )
    write_table(directory / "mutations.csv", header, rows, overwrite=True)


def show_verdicts(title: str, verdicts: "Sequence[Verdict]") -> None:
    """The highest, as a table."""
    from .console import say, table

    best = sorted(verdicts, key=lambda one: -one.driver)[:LISTED]
    header = ["protein", "driver", "range", "client", "percentile", "c_sat µM", "physics", "learnt"]
    rows = [
        [
            one.name,
            f"{one.driver:.2f}",
            f"{one.driver_low:.2f}-{one.driver_high:.2f}",
            f"{one.client:.2f}",
            f"{one.percentile:.0f}",
            f"{one.saturation:.3g}",
            f"{one.by_physics:+.2f}",
            f"{one.by_learning:+.2f}",
        ]
        for one in best
    ]
    table(title, header, rows)
    if len(verdicts) > LISTED:
        say(f"the {LISTED} highest of {len(verdicts)}; phase.csv holds all")


def show_effects(effects: "Sequence[tuple[str, MutationEffect]]") -> None:
    """The strongest, as a table."""
    from .console import table

    strongest = sorted(effects, key=lambda pair: -abs(pair[1].strengthens - 0.5))[:LISTED]
    rows = [
        [
            one.mutation,
            f"{one.strengthens:.2f}",
            f"{one.logit:+.2f} ± {one.spread:.2f}",
            f"{one.log_saturation:+.2f}",
            f"{one.disorder:+.1f}",
        ]
        for _, one in strongest
    ]
    header = ["mutation", "strengthens", "Δ logit", "Δ ln c_sat", "Δ disordered"]
    table("mutations, surest first", header, rows)


def show_reasons(verdicts: "Sequence[Verdict]") -> None:
    """Which residues and which energies decide, of the highest."""
    for one in sorted(verdicts, key=lambda one: -one.driver)[:LISTED]:
        _explain(one)


def _explain(verdict: "Verdict") -> None:
    """Which residues and which energies."""
    from .console import say, table

    rows = [
        [name.replace("_", " "), f"{value:.2f}", f"{verdict.shares[name]:+.2f}"]
        for name, value in verdict.descriptors.items()
    ]
    rows.append(["learnt beyond physics", "", f"{verdict.by_learning:+.2f}"])
    table(f"{verdict.name}: why", ["what", "value", "adds to the logit"], rows)
    contacts = sorted(verdict.contacts.items(), key=lambda pair: -abs(pair[1]))
    largest = ", ".join(f"{name.replace('_', ' ')} {value:+.2f}" for name, value in contacts[:5])
    say(f"{verdict.name}: contacts by the force field (above 0 favours separation): {largest}")
    spans = _spans((verdict.profile / verdict.driver).tolist())
    text = ", ".join(f"{first}-{last}" for first, last in spans) or "none surely"
    say(f"{verdict.name}: residues of driving regions, if it drives: {text}")


def _spans(profile: Sequence[float], least: int = 8) -> list[tuple[int, int]]:
    """Stretches above one half, of at least so many residues; from 1."""
    found: list[tuple[int, int]] = []
    start = None
    for index, value in enumerate([*profile, 0.0]):
        if value > 0.5 and start is None:
            start = index
        elif value <= 0.5 and start is not None:
            if index - start >= least:
                found.append((start + 1, index))
            start = None
    return found


def row(verdict: "Verdict") -> dict[str, Any]:
    """The numbers of a verdict, by name."""
    return {
        "name": verdict.name,
        "residues": len(verdict.sequence),
        "driver": verdict.driver,
        "driver_low": verdict.driver_low,
        "driver_high": verdict.driver_high,
        "client": verdict.client,
        "percentile": verdict.percentile,
        "csat_uM": verdict.saturation,
        "logit_physics": verdict.by_physics,
        "logit_learned": verdict.by_learning,
    }


def _cell(value: object) -> str:
    return f"{value:.5g}" if isinstance(value, float) else str(value)


def packed(verdict: "Verdict") -> dict[str, Any]:
    """A verdict as JSON can hold it."""
    return vars(verdict) | {"profile": verdict.profile.tolist(), "disorder": verdict.disorder.tolist()}


def unpacked(fields: dict[str, Any]) -> "Verdict":
    """The verdict that was packed."""
    import torch

    from ..condensate import Verdict

    profile, disorder = torch.tensor(fields.pop("profile")), torch.tensor(fields.pop("disorder"))
    return Verdict(**fields, profile=profile, disorder=disorder)


def keep(path: Path, what: object) -> None:
    """Write a part of a run, from which it can go on."""
    from ..io import write_text

    write_text(path, json.dumps(what), overwrite=True)
