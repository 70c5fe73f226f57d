"""What `motet ensemble` says of an ensemble: a warning, a table, and the summary for programs."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..ensemble import Analysis


def warn_if_unsound(analysis: "Analysis") -> None:
    """Say that conformations have strained bonds or clashes: a fixed obstacle may be bonded to the protein."""
    from .console import note

    found = analysis.soundness
    if count := int(found.unsound.sum()):
        strain = f"a bond {found.worst_bond.max():.2f} Å off, or atoms within {found.closest_pair.min():.1f} Å"
        many = f"{count} of {len(analysis.ensemble)} conformations are strained"
        note("warning", f"{many}: {strain}; look for a ligand bonded to the protein.")


def show(analysis: "Analysis") -> None:
    """States, and how the draws went."""
    from ..report.wording import trust_unweighed
    from .console import note, say, table

    rows = [
        [
            str(state.label),
            f"{state.population:.2f} ± {state.population_error:.2f}",
            f"{state.free_energy:.2f} ± {state.free_energy_error:.2f}",
            f"{state.spread:.2f}",
            str(len(state.members)),
        ]
        for state in analysis.states.states
    ]
    header = ["state", "population", "free energy kcal/mol", "spread Å", "conformations"]
    table(analysis.ensemble.structure.name, header, rows)
    if report := analysis.ensemble.provenance.report:
        rates = {name.removeprefix("acceptance_"): rate for name, rate in report.items()}
        if (gone := rates.pop("rmsd_from_flow", None)) is not None:
            say(f"chains have gone {gone:.2f} Å from what the flow drew")
        if (again := rates.pop("drawn_again", None)) is not None:
            say(f"{again:.0%} of the draws were not sound, and were made again")
        if rates.pop("unsound", 0.0):
            note("warning", "some draws stayed unsound; a lower --level keeps nearer to the start.")
        if rates:
            say("acceptance: " + ", ".join(f"{name} {rate:.2f}" for name, rate in rates.items()))
    say(trust_unweighed(analysis.ensemble) or analysis.quality.sentence)


def summary_of(analysis: "Analysis", directory: Path) -> dict[str, Any]:
    """What --json prints."""
    quality = analysis.quality
    return {
        "name": analysis.ensemble.structure.name,
        "out": str(directory),
        "conformations": len(analysis.ensemble),
        "weighting": analysis.ensemble.provenance.weighting,
        "effective_sample_size": quality.weight_effective_size,
        "converged": quality.converged,
        "diagnostics": {
            one.name: {"r_hat": one.r_hat, "ess": one.effective_samples} for one in quality.diagnostics
        },
        "report": dict(analysis.ensemble.provenance.report),
        "mean_rmsf": float(analysis.observables.rmsf.mean()),
        "states": [
            {
                "state": state.label,
                "population": state.population,
                "population_error": state.population_error,
                "free_energy": state.free_energy,
                "free_energy_error": state.free_energy_error,
                "medoid": state.medoid,
                "conformations": len(state.members),
            }
            for state in analysis.states.states
        ],
        "soundness": {
            "worst_bond": float(analysis.soundness.worst_bond.max()),
            "closest_pair": float(analysis.soundness.closest_pair.min()),
        },
    }
