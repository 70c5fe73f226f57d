"""`motet ensemble`: from a structure to its ensemble, its states and a report."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import Acidity, AsJson, DeviceName, Input, Out, Overwrite, Salt, Seed, Temperature, Threads

if TYPE_CHECKING:
    from ..ensemble import Ensemble, Generator, Plan
    from ..ensemble.run_record import RunRecord
    from ..forcefield import System
    from ..structure import Structure
    from .learned import Learned, Start
    from .run import Run


class Method(StrEnum):
    """What draws the conformations."""

    montecarlo = "montecarlo"
    langevin = "langevin"
    modes = "modes"
    flow = "flow"
    both = "both"


LEARNED = (Method.flow, Method.both)
# Sweeps, ps, draws.
INTERVAL = {"montecarlo": 2.0, "langevin": 0.5, "modes": 1.0, "flow": 1.0, "both": 2.0}
BURN_IN = {"montecarlo": 10.0, "langevin": 2.0, "modes": 0.0, "flow": 0.0, "both": 10.0}
REPLICAS = {"montecarlo": 10, "langevin": 10, "modes": 10, "flow": 25, "both": 10}
# The flow takes the start's frames as they are, and modes are those of the start.
MINIMISE_STEPS = {"montecarlo": 500, "langevin": 500, "modes": 0, "flow": 0, "both": 500}
# Monte Carlo keeps covalent geometry, and modes and flow relax their draws themselves, so those stay as they are.
RELAX_STEPS = {"montecarlo": 0, "langevin": 60, "modes": 0, "flow": 0, "both": 0}
WORTH_SAYING = 60.0  # seconds; a longer run says beforehand what it will cost


def ensemble(
    structure: Input,
    out: Out = None,
    count: Annotated[int, typer.Option("-n", "--count", help="Conformations to make.", min=1)] = 100,
    temperature: Temperature = 300.0,
    method: Annotated[
        Method,
        typer.Option(
            "--method",
            help="Monte Carlo in torsions, Langevin dynamics, soft modes, learned flow, or Monte Carlo from flow.",
        ),
    ] = Method.montecarlo,
    replicas: Annotated[
        int | None,
        typer.Option("--replicas", help="Independent chains, run in one batch [10; flow: draws, 25].", min=1),
    ] = None,
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
    relaxed; both in the motet force field. Draws along the soft modes of an elastic network, 1 Å wide, and the
    learned flow propose conformations, and know no weights of them; the flow takes a sequence (FASTA) or an
    alignment (A3M), too, and claims no fold.
    Stop it at any moment: the same command goes on where it was, and ends with the result of a run that was not
    stopped.

    Writes topology.pdb, samples.xtc, ensemble.csv, states.csv, residues.csv, report.html, run.json and more.

    Example: motet ensemble examples/1l2y.pdb -o 1l2y-ensemble
    """
    from ..errors import ConfigError
    from .batch import machine
    from .learned import Learned
    from .run import Request

    if method not in LEARNED and any(one is not None for one in (level, weights, alignment)):
        raise ConfigError("--level, --weights and --alignment are for the flow: pass --method flow, or both.")
    learned = Learned.of(level, weights, alignment) if method in LEARNED else None
    request = Request(
        command="ensemble",
        arguments={
            "structure": str(structure),
            "count": count,
            "temperature": temperature,
            "method": method.value,
            "replicas": REPLICAS[method] if replicas is None else replicas,
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
        seed=seed,
        device=machine(device, threads),
        overwrite=overwrite,
        as_json=as_json,
    )
    request.each(structure, out, "ensemble", _Job(learned, parquet).run)


@dataclass(frozen=True)
class _Job:
    """What is to be done with each input, beyond the settings."""

    learned: "Learned | None"
    parquet: bool

    def run(self, path: Path, run: "Run") -> dict[str, Any]:
        """Make, analyse and write the ensemble of one input."""
        from ..ensemble import analyse, save, save_parquet
        from .console import say
        from .ensemble_results import show, summary_of, warn_if_unsound
        from .results import write_results

        start = _start(path, run.record)
        run.note(start.structure.notes)
        made = self._made(start, run)
        run.lap("sampling")
        analysis = analyse(made, run.record.seed)
        run.lap("analysis")
        run.report(made.provenance.report)
        warn_if_unsound(analysis)
        save(made, run.directory)
        if self.parquet:
            save_parquet(made, run.directory / "ensemble.parquet")
        write_results(analysis, run.record, run.directory)
        if not run.quiet:
            show(analysis)
        say(f"wrote {run.directory / 'report.html'}")
        return summary_of(analysis, run.directory)

    def _made(self, start: "Start", run: "Run") -> "Ensemble":
        from ..ensemble import Plan, produce
        from .console import Meter
        from .loading import bound

        loaded, asked = start.structure, run.record.arguments
        system = bound(loaded, run.record.device, *(asked[name] for name in ("temperature", "salt", "ph")))
        generator = self._generator(start, asked)
        steps = {"minimise_steps": MINIMISE_STEPS, "relax_steps": RELAX_STEPS}
        steps = {name: of_method[asked["method"]] for name, of_method in steps.items()}
        plan = Plan(count=asked["count"], seed=run.record.seed, **steps)
        checkpoint = run.checkpoint(topology=loaded.topology.digest)
        _announce(system, loaded, generator, plan, checkpoint.open())
        with Meter("sampling") as meter:
            return produce(loaded, system, generator, plan, checkpoint, meter.advance)

    def _generator(self, start: "Start", asked: Mapping[str, Any]) -> "Generator[Any]":
        from ..ensemble import AlongModes, Langevin, MonteCarlo

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
        if asked["method"] == "modes":
            taken = {name: shared[name] for name in ("temperature", "replicas")}
            return AlongModes(topology=start.structure.topology, **taken)
        tempering = {"topology": start.structure.topology, "rungs": asked["rungs"], "hottest": asked["hottest"]}
        if self.learned is None:
            return MonteCarlo(**shared, **tempering)
        from ..ensemble.seeded import SeededMonteCarlo

        flow = self.learned.flow(start, shared["temperature"], shared["replicas"])
        if asked["method"] == "flow":
            return flow
        return SeededMonteCarlo(flow=flow, montecarlo=MonteCarlo(**shared | {"replicas": 1}, **tempering))


def _start(path: Path, record: "RunRecord") -> "Start":
    """The first model of the input; the flow also takes a sequence."""
    from .learned import Start, from_sequence
    from .loading import first_model, load_prepared

    bare = from_sequence(path, record.device) if record.arguments["method"] == "flow" else None
    return bare or Start(first_model(load_prepared(path, record.device)))


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
