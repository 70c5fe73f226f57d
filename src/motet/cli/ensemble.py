"""`motet ensemble`: from a structure to its ensemble, its states and a report."""

from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import Acidity, AsJson, DeviceName, Input, Out, Overwrite, Salt, Seed, Temperature, Threads

if TYPE_CHECKING:
    from ..ensemble import Analysis, Checkpoint, Ensemble, Generator, Plan
    from ..forcefield import System
    from ..structure import Structure
    from .learned import Learned, Start


class Method(StrEnum):
    """What draws the conformations."""

    montecarlo = "montecarlo"
    langevin = "langevin"
    flow = "flow"
    both = "both"


LEARNED = (Method.flow, Method.both)
INTERVAL = {Method.montecarlo: 2.0, Method.langevin: 0.5, Method.flow: 1.0, Method.both: 2.0}  # sweeps, ps, draws
BURN_IN = {Method.montecarlo: 10.0, Method.langevin: 2.0, Method.flow: 0.0, Method.both: 10.0}
# Monte Carlo keeps covalent geometry, and the flow relaxes its draws itself, so those stay as they are.
RELAX_STEPS = {"montecarlo": 0, "langevin": 60, "flow": 0, "both": 0}
WORTH_SAYING = 60.0  # seconds; a longer run says beforehand what it will cost


def ensemble(
    structure: Input,
    out: Out = None,
    count: Annotated[int, typer.Option("-n", "--count", help="Conformations to make.", min=1)] = 100,
    temperature: Temperature = 300.0,
    method: Annotated[
        Method,
        typer.Option(
            "--method", help="Monte Carlo in torsions, Langevin dynamics, learned flow, or Monte Carlo from flow."
        ),
    ] = Method.montecarlo,
    replicas: Annotated[int, typer.Option("--replicas", help="Independent chains, run in one batch.", min=1)] = 10,
    interval: Annotated[
        float | None,
        typer.Option(
            "--interval", help="Between kept conformations: sweeps [2], or ps of dynamics [0.5].", min=0.0
        ),
    ] = None,
    burn_in: Annotated[
        float | None,
        typer.Option("--burn-in", help="Before the first one is kept: sweeps [10], or ps [2].", min=0.0),
    ] = None,
    rungs: Annotated[
        int, typer.Option("--rungs", help="Monte Carlo: temperatures of each replica, for tempering.", min=1)
    ] = 1,
    hottest: Annotated[float, typer.Option("--hottest", help="Monte Carlo: the highest of them, in K.")] = 400.0,
    timestep: Annotated[float, typer.Option("--timestep", help="Dynamics: time step, in fs.", min=0.01)] = 2.0,
    level: Annotated[
        float | None,
        typer.Option("--level", help="Flow: how far to disturb, from 0 to 1 (all noise) [0.6; a sequence 0.99]."),
    ] = None,
    alignment: Annotated[
        Path | None, typer.Option("--alignment", help="Flow: alignment (A3M) of the protein, read as a profile.")
    ] = None,
    weights: Annotated[
        Path | None, typer.Option("--weights", help="Flow: weights that scripts/train/flow.py wrote.")
    ] = None,
    salt: Salt = 150.0,
    ph: Acidity = 7.0,
    seed: Seed = 0,
    device: DeviceName = "auto",
    threads: Threads = 1,
    parquet: Annotated[bool, typer.Option("--parquet", help="Write ensemble.parquet too.")] = False,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Make the ensemble of a structure: conformations, weights, states, and a report.

    Monte Carlo in torsions, whose moves never break the chain, or Langevin dynamics, of which each conformation is
    relaxed; both in the motet force field. The learned flow proposes conformations, and knows no weights of them;
    it takes a sequence (FASTA) or an alignment (A3M), too, and claims no fold.
    Stop it at any moment: the same command goes on where it was, and ends with the result of a run that was not
    stopped.

    Writes topology.pdb, samples.xtc, ensemble.csv, states.csv, residues.csv, report.html, run.json and more.

    Example: motet ensemble examples/1l2y.pdb -o 1l2y-ensemble
    """
    from .batch import for_each, machine
    from .learned import Learned

    learned = Learned.of(level, weights, alignment) if method in LEARNED else None
    job = _Job(
        arguments={
            "structure": str(structure),
            "count": count,
            "temperature": temperature,
            "method": method.value,
            "replicas": replicas,
            "interval": INTERVAL[method] if interval is None else interval,
            "burn_in": BURN_IN[method] if burn_in is None else burn_in,
            "rungs": rungs,
            "hottest": hottest,
            "timestep": timestep,
            "salt": salt,
            "ph": ph,
            "threads": threads,
        }
        | ({} if learned is None else learned.arguments),
        learned=learned,
        seed=seed,
        device=machine(device, threads),
        parquet=parquet,
        overwrite=overwrite,
        as_json=as_json,
    )
    for_each(structure, out, "ensemble", job.run, as_json)


@dataclass(frozen=True)
class _Job:
    """One request, to be run on each input."""

    arguments: dict[str, Any]
    learned: "Learned | None"
    seed: int
    device: str
    parquet: bool
    overwrite: bool
    as_json: bool

    def run(self, path: Path, directory: Path) -> dict[str, Any]:
        """Make, analyse and write the ensemble of one input."""
        from ..ensemble import analyse, save, save_parquet
        from ..ensemble.run_record import RunRecord
        from .batch import claim, digest
        from .clock import Clock
        from .console import say
        from .finished import answered, write_summary
        from .results import write_results

        content = digest(path)
        record = RunRecord("ensemble", self.arguments, self.seed, self.device, {path.name: content})
        if not self.overwrite and (summary := answered(directory, record)):
            return summary
        claim(directory, self.overwrite)
        start = self._start(path)
        clock = Clock()
        made, checkpoint = self._produce(start, content, directory)
        clock.lap("sampling")
        analysis = analyse(made, self.seed)
        clock.lap("analysis")
        _warn_if_unsound(analysis)
        save(made, directory)
        if self.parquet:
            save_parquet(made, directory / "ensemble.parquet")
        notes = tuple((one.kind, one.text) for one in start.structure.notes)
        summary = _summary(analysis, directory)
        write_summary(directory, summary)
        done = replace(record, timings=clock.laps, notes=notes, report=dict(made.provenance.report))
        write_results(analysis, done, directory)
        checkpoint.close()
        if not self.as_json:
            _show(analysis)
        say(f"wrote {directory / 'report.html'}")
        return summary

    def _start(self, path: Path) -> "Start":
        """The first model of the input; the flow also takes a sequence."""
        from .learned import Start, from_sequence
        from .loading import first_model, load_prepared

        bare = from_sequence(path, self.device) if self.arguments["method"] == "flow" else None
        return bare or Start(first_model(load_prepared(path, self.device)))

    def _produce(self, start: "Start", content: str, directory: Path) -> "tuple[Ensemble, Checkpoint]":
        from .. import __version__
        from ..ensemble import Checkpoint, Plan, produce
        from .console import Meter
        from .loading import bound

        loaded = start.structure
        system = bound(loaded, self.device, *(self.arguments[name] for name in ("temperature", "salt", "ph")))
        generator = self._generator(start)
        relax_steps = RELAX_STEPS[self.arguments["method"]]
        plan = Plan(count=self.arguments["count"], seed=self.seed, relax_steps=relax_steps)
        what = {"version": __version__, "input": content, "topology": loaded.topology.digest}
        # The input may have moved since; what it holds may not.
        settings = {key: value for key, value in self.arguments.items() if key != "structure"}
        checkpoint = Checkpoint(directory, what | settings | {"seed": self.seed, "device": self.device})
        _announce(system, loaded, generator, plan, checkpoint.open())
        with Meter("sampling") as meter:
            made = produce(loaded, system, generator, plan, checkpoint, meter.advance)
        return made, checkpoint

    def _generator(self, start: "Start") -> "Generator[Any]":
        from ..ensemble import Langevin, MonteCarlo

        asked = self.arguments
        dynamics = asked["method"] == "langevin"
        steps = 1000.0 / asked["timestep"] if dynamics else 1.0  # in a unit of --interval and --burn-in
        shared = {
            "temperature": asked["temperature"],
            "replicas": min(asked["replicas"], asked["count"]),
            "burn_in": round(asked["burn_in"] * steps),
            "interval": max(1, round(asked["interval"] * steps)),
        }
        if dynamics:
            return Langevin(**shared, timestep=asked["timestep"])
        tempering = {"topology": start.structure.topology, "rungs": asked["rungs"], "hottest": asked["hottest"]}
        if self.learned is None:
            return MonteCarlo(**shared, **tempering)
        from ..ensemble.seeded import SeededMonteCarlo

        flow = self.learned.flow(start, shared["temperature"], shared["replicas"])
        if asked["method"] == "flow":
            return flow
        return SeededMonteCarlo(flow=flow, montecarlo=MonteCarlo(**shared | {"replicas": 1}, **tempering))


def _announce(system: "System", loaded: "Structure", generator: "Generator[Any]", plan: "Plan", done: int) -> None:
    """Say what is resumed, and what the rest will cost when that is more than a minute."""
    from ..ensemble.langevin import seconds_per_step
    from .console import say

    rounds = -(-plan.count // generator.replicas)
    if done:
        say(f"going on after {done} of {rounds} rounds")
    steps = generator.evaluations(rounds - done, bool(done)) + (rounds - done) * plan.relax_steps
    steps += 0 if done else plan.minimise_steps // generator.replicas
    cost = steps * seconds_per_step(system, loaded.coords, generator.replicas)
    if cost > WORTH_SAYING:
        say(f"this will take about {cost / 60:.0f} minutes; it can be stopped and resumed at any moment")


def _warn_if_unsound(analysis: "Analysis") -> None:
    """Say that conformations have strained bonds or clashes: a fixed obstacle may be bonded to the protein."""
    from .console import note

    found = analysis.soundness
    if count := int(found.unsound.sum()):
        strain = f"a bond {found.worst_bond.max():.2f} Å off, or atoms within {found.closest_pair.min():.1f} Å"
        many = f"{count} of {len(analysis.ensemble)} conformations are strained"
        note("warning", f"{many}: {strain}; look for a ligand bonded to the protein.")


def _show(analysis: "Analysis") -> None:
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
    if analysis.ensemble.provenance.generator == "flow":
        say("These are proposals of a network that knows no energies: shares are no populations.")
    else:
        say(analysis.quality.sentence)


def _summary(analysis: "Analysis", directory: Path) -> dict[str, Any]:
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
