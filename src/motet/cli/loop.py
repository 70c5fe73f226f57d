"""`motet loop`: conformations of a loop, closed, with side chains, scored and clustered."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import Acidity, AsJson, DeviceName, Input, Out, Overwrite, Salt, Seed, Temperature, Threads

if TYPE_CHECKING:
    from ..ensemble import Analysis
    from ..ensemble.loops import LoopModels, Region

SHOWN = 5


def loop(
    structure: Input,
    residues: Annotated[
        str, typer.Option("--residues", "-r", help="The loop: chain, first and last residue, as in A:12-23.")
    ],
    sequence: Annotated[
        str | None,
        typer.Option("--sequence", help="One-letter codes of the loop: needed where the file lacks it."),
    ] = None,
    out: Out = None,
    count: Annotated[int, typer.Option("-n", "--count", help="Conformations to keep.", min=1)] = 100,
    built: Annotated[
        float, typer.Option("--built", help="Closed backbones made for each one kept.", min=1.0)
    ] = 4.0,
    relaxed: Annotated[
        int, typer.Option("--relaxed", help="Conformations of lowest energy to minimise.", min=0)
    ] = 64,
    temperature: Temperature = 298.15,
    salt: Salt = 150.0,
    ph: Acidity = 7.0,
    seed: Seed = 0,
    device: DeviceName = "auto",
    threads: Threads = 1,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Build a loop: closed conformations with side chains, ranked and clustered.

    A loop that is in the file is taken out first, and does not help; one that is missing is built from its
    --sequence. Everything else stays as it is, and the same seed gives the same loops.

    Writes loops.csv (best first), topology.pdb, samples.xtc, states.csv, report.html, run.json and more.

    Example: motet loop examples/1l2y.pdb --residues A:8-14 -n 50 -o 1l2y-loop
    """
    from .batch import for_each, machine

    job = _Job(
        arguments={
            "structure": str(structure),
            "residues": residues,
            "sequence": sequence,
            "count": count,
            "built": built,
            "relaxed": relaxed,
            "temperature": temperature,
            "salt": salt,
            "ph": ph,
            "threads": threads,
        },
        seed=seed,
        device=machine(device, threads),
        overwrite=overwrite,
        as_json=as_json,
    )
    for_each(structure, out, "loop", job.run, as_json)


@dataclass(frozen=True)
class _Job:
    """One request, to be run on each input."""

    arguments: dict[str, Any]
    seed: int
    device: str
    overwrite: bool
    as_json: bool

    def run(self, path: Path, directory: Path) -> dict[str, Any]:
        """Build, analyse and write the loop of one input."""
        from ..ensemble import analyse, save
        from ..ensemble.loops import as_ensemble, find_region, write_loops
        from ..ensemble.run_record import RunRecord
        from .batch import claim, digest
        from .clock import Clock
        from .console import say
        from .finished import answered, write_summary
        from .loading import first_model, load_prepared
        from .results import write_results

        record = RunRecord("loop", self.arguments, self.seed, self.device, {path.name: digest(path)})
        if not self.overwrite and (summary := answered(directory, record)):
            return summary
        claim(directory, self.overwrite)
        loaded = first_model(load_prepared(path, self.device))
        region = find_region(loaded, self.arguments["residues"], self.arguments["sequence"])
        clock = Clock()
        models = self._models(region)
        clock.lap("building and scoring")
        made = as_ensemble(models, self.arguments["temperature"], self.seed)
        analysis = analyse(made, self.seed)
        clock.lap("analysis")
        save(made, directory)
        write_loops(models, analysis.states, directory / "loops.csv")
        notes = tuple((one.kind, one.text) for one in loaded.notes)
        summary = _summary(models, analysis, directory)
        write_summary(directory, summary)
        write_results(analysis, replace(record, timings=clock.laps, notes=notes), directory)
        if not self.as_json:
            _show(models, analysis)
        say(f"wrote {directory / 'report.html'}")
        return summary

    def _models(self, region: "Region") -> "LoopModels":
        from ..ensemble.loops import Modelling, model_loop
        from ..forcefield import Conditions, ForceField
        from .console import Meter

        asked = {name: self.arguments[name] for name in ("count", "built", "relaxed")}
        settings = Modelling(seed=self.seed, **asked)
        temperature, salt, ph = (self.arguments[name] for name in ("temperature", "salt", "ph"))
        conditions = Conditions(temperature=temperature, ionic_strength=salt / 1000.0, ph=ph)
        with Meter("packing side chains") as meter:
            field = ForceField().to(self.device)
            return model_loop(region, settings, field, conditions, progress=meter.advance)


def _show(models: "LoopModels", analysis: "Analysis") -> None:
    from .console import say, table

    totals, labels = models.energies.sum(-1).tolist(), analysis.states.labels.tolist()
    favoured, scores = models.backbones.favoured.double().mean(-1).tolist(), models.score.tolist()
    rows = [
        [
            str(rank),
            f"{scores[rank]:.2f}",
            f"{totals[rank]:.1f}",
            f"{100 * favoured[rank]:.0f} %",
            str(labels[rank]),
        ]
        for rank in range(min(SHOWN, len(totals)))
    ]
    table(
        analysis.ensemble.structure.name,
        ["rank", "score", "energy kcal/mol", "Ramachandran-favoured", "state"],
        rows,
    )
    say(f"{len(totals)} conformations in {len(analysis.states)} states; loops.csv lists them, best first")


def _summary(models: "LoopModels", analysis: "Analysis", directory: Path) -> dict[str, Any]:
    totals = models.energies.sum(-1)
    return {
        "name": analysis.ensemble.structure.name,
        "out": str(directory),
        "conformations": len(totals),
        "relaxed": int(models.relaxed.sum()),
        "lowest_energy": float(totals.min()),
        "ramachandran_favoured": float(models.backbones.favoured.double().mean()),
        "states": [
            {"state": one.label, "share": one.population, "best": int(one.members.min()), "medoid": one.medoid}
            for one in analysis.states.states
        ],
    }
