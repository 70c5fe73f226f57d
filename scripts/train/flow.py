"""Train the flow network, and say while it trains how well it takes noise out of proteins it has not seen.

    python scripts/train/flow.py ../shared/data/dynamics WORK --size small             # one core
    python scripts/train/flow.py DATA WORK --size large --batch 64 --crop 128 --workers 12     # one GPU
    torchrun --nproc-per-node 8 scripts/train/flow.py DATA WORK --size large --compile         # several

Chains of one state first; from --two-states on, every fourth batch is of proteins in two states, one given and
the other wanted, and two of four are of the --ensembles that flow_ensembles.py has made, if there are any.
Families of sequences are held out of all. The same command goes on where it stopped, and ends with the bytes of a
run that was not stopped: what a step draws depends on the step alone. WORK receives
state.safetensors, log.csv and curves.png; --ship FILE writes the moving average in half precision, and its card.
"""

import argparse
import csv
import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import torch
from flow_data import Named, held_out, read_chains, read_ensembles, read_pairs
from safetensors.torch import load_file, save_file
from torch import nn
from torch.utils.data import DataLoader, Dataset

from motet.ensemble.fine_tuning import Motion, drawn_example
from motet.fold.flow import FlowConfig, FlowNetwork
from motet.fold.flow_examples import FlowBatch, FlowExample, batch_of
from motet.fold.flow_learner import SEEDS_APART, FlowLearner, Pace, seeded
from motet.fold.flow_losses import WEIGHTS, backbone_atoms
from motet.fold.flow_path import FlowPath
from motet.fold.flow_weights import FlowModel, save_flow
from motet.geometry import lddt, rmsd
from motet.nn import fast_products

JUDGED, JUDGED_AT = 16, (0.1, 0.2, 0.4)  # held-out chains, and levels
TURNS, PAIRS, CHAINS = 4, 0, 1  # of four batches the first is of pairs, the second of chains, two of ensembles
FIGURES = ("before", "after", "lddt", "broken")
COLUMNS = ("step", "loss", *WEIGHTS, *(f"{name}_{level}" for level in JUDGED_AT for name in FIGURES))
SIZES = {
    "small": FlowConfig(c_pair=24, pair_blocks=1, heads=4),  # one core: half the work of the next
    "medium": FlowConfig(),
    "large": FlowConfig(c_single=256, c_pair=64, c_triangle=32, pair_blocks=4, blocks=6, heads=12),  # a GPU
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--batch", type=int, default=4, help="proteins a step and process")
    parser.add_argument("--crop", type=int, default=80)
    parser.add_argument("--two-states", type=int, default=2500, help="first step with pairs")
    parser.add_argument("--every", type=int, default=100, help="steps between checkpoints, and rows of the log")
    parser.add_argument("--judge", type=int, default=3, help="rows between evaluations")
    parser.add_argument("--minutes", type=float, default=None, help="stop after so long, to go on another time")
    parser.add_argument("--size", choices=tuple(SIZES), default="medium")
    parser.add_argument("--chains", type=Path, help="other chains, as extract_promod3.py writes them")
    parser.add_argument("--ensembles", type=Path, help="conformations of training chains, by flow_ensembles.py")
    parser.add_argument("--workers", type=int, default=0, help="processes that make batches ahead, for a GPU")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--ship", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    arguments.work.mkdir(parents=True, exist_ok=True)
    chains = read_chains(arguments.data / "promod3_chains", arguments.chains)
    pairs = read_pairs(arguments.data / "pairs")
    ensembles = read_ensembles(arguments.ensembles) if arguments.ensembles else []
    run = Run(arguments, Parted.of(chains), Parted.of(pairs), ensembles)
    with fast_products():
        run.train()
    if run.rank == 0:
        draw_curves(arguments.work)
        if arguments.ship:
            ship(arguments.ship, run)


class Parted:
    """Examples to learn from, and others to be judged on."""

    def __init__(self, learnt: list[FlowExample], judged: list[FlowExample]) -> None:
        self.learnt, self.judged = learnt, judged

    @classmethod
    def of(cls, named: list[Named]) -> "Parted":
        out = held_out(named)
        parts = [
            [one.example for one, away in zip(named, out, strict=True) if away == which] for which in (False, True)
        ]
        return cls(*parts)


@dataclass(frozen=True)
class Work(Dataset):
    """The batch of each step: what it holds depends on the step alone."""

    chains: list[FlowExample]
    pairs: list[FlowExample]
    ensembles: list[Motion]
    path: FlowPath
    told: argparse.Namespace
    rank: int
    world: int

    def __getitem__(self, step: int) -> FlowBatch:
        draws = seeded(self.told.seed + 1 + SEEDS_APART, step * self.world + self.rank)
        return batch_of(self._examples(step, draws), self.path, self.told.crop, draws)

    def _examples(self, step: int, draws: torch.Generator) -> list[FlowExample]:
        turn = step % TURNS if step >= self.told.two_states else CHAINS
        if turn not in (PAIRS, CHAINS) and self.ensembles:
            return [drawn_example(self.ensembles, draws) for _ in range(self.told.batch)]
        source = self.pairs if turn == PAIRS else self.chains
        return [source[i] for i in torch.randint(len(source), (self.told.batch,), generator=draws).tolist()]


class Run:
    """A training that can be stopped after any checkpoint."""

    def __init__(
        self, arguments: argparse.Namespace, chains: Parted, pairs: Parted, ensembles: Sequence[Motion] = ()
    ) -> None:
        self.arguments, self.chains, self.pairs, self.ensembles = arguments, chains, pairs, list(ensembles)
        self.rank, self.world = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
        self.device = torch.device(arguments.device)
        if self.world > 1:
            torch.distributed.init_process_group("nccl" if self.device.type == "cuda" else "gloo")
            if self.device.type == "cuda":
                self.device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
                torch.cuda.set_device(self.device)
        torch.manual_seed(arguments.seed)
        self.learner = FlowLearner(FlowNetwork(SIZES[arguments.size]).to(self.device), FlowPath(), Pace())
        self.rows: list[dict[str, str]] = []
        self.resume()

    @property
    def step(self) -> int:
        return self.learner.step

    def train(self) -> None:
        """All steps that are left, or those that fit into the time."""
        told = self.arguments
        forward: nn.Module = self.learner.network
        if self.world > 1:
            forward = nn.parallel.DistributedDataParallel(forward)
        if told.compile:
            forward = torch.compile(forward)
        began = time.monotonic()
        sums: dict[str, float] = {}
        for batch in self.batches():
            draws = seeded(told.seed + 1, self.step * self.world + self.rank)
            for name, value in self.learner.learn(batch, draws, forward).items():
                sums[name] = sums.get(name, 0.0) + value
            if self.step % told.every == 0:
                if self.rank == 0:
                    row = {name: value / told.every for name, value in sums.items()}
                    if self.step % (told.every * told.judge) == 0:
                        row |= self.judge()
                    self.note(row)
                    self.keep()
                sums = {}
                if told.minutes and time.monotonic() - began > 60 * told.minutes:
                    break

    def batches(self) -> DataLoader:
        """The batches of the steps that are left, made ahead where there are workers to make them."""
        told = self.arguments
        examples = (self.chains.learnt, self.pairs.learnt, self.ensembles)
        work = Work(*examples, self.learner.path, told, self.rank, self.world)
        steps = range(self.step, told.steps)
        return DataLoader(work, batch_size=None, sampler=steps, num_workers=told.workers)

    @torch.no_grad()
    def judge(self) -> dict[str, float]:
        """How well the moving average takes the noise out of held-out chains, by level; the crops are fixed."""
        network, path = self.learner.averaged(), self.learner.path
        found = {}
        for level in JUDGED_AT:
            rows = []
            for start in range(0, min(JUDGED, len(self.chains.judged)), 8):
                draws = torch.Generator().manual_seed(start)
                few = self.chains.judged[start : start + 8]
                batch = batch_of(few, path, 128, draws, torch.full((len(few),), level)).to(self.device)
                noised = path.between(batch.target.frames, batch.noise, batch.level)
                clean = network(batch.inputs, noised, batch.level).clean
                rows += quality(batch, noised, clean)
            mean = torch.tensor(rows).mean(0).tolist()
            found |= {f"{name}_{level}": value for name, value in zip(FIGURES, mean, strict=True)}
        return found

    def note(self, figures: dict[str, float]) -> None:
        """A row of log.csv."""
        self.rows.append({"step": self.step} | {name: f"{value:.5g}" for name, value in figures.items()})
        with (self.arguments.work / "log.csv").open("w", newline="") as sink:
            writer = csv.DictWriter(sink, COLUMNS, restval="", lineterminator="\n")
            writer.writeheader()
            writer.writerows(self.rows)
        print(" ".join(f"{name} {value}" for name, value in self.rows[-1].items()), flush=True)

    def keep(self) -> None:
        """The state on disk, replaced in one go."""
        target = self.arguments.work / "state.safetensors"
        save_file(self.learner.pack(), target.with_suffix(".new"))
        os.replace(target.with_suffix(".new"), target)

    def resume(self) -> None:
        target = self.arguments.work / "state.safetensors"
        if not target.exists():
            return
        self.learner.unpack(load_file(target))
        with (self.arguments.work / "log.csv").open(newline="") as log:
            self.rows = [row for row in csv.DictReader(log) if int(row["step"]) <= self.step]


def quality(batch: FlowBatch, noised, clean) -> list[list[float]]:
    """RMSD before and after, lDDT of Cα, and the share of broken peptide bonds, of each protein."""
    rows = []
    for row, there in enumerate(batch.inputs.presence.bool()):
        truth = batch.target.frames.translation[row][there]
        before, after = noised.translation[row][there], clean.translation[row][there]
        atoms = backbone_atoms(clean)[row][there]
        peptide = (atoms[:-1, 2] - atoms[1:, 0]).norm(dim=-1)
        broken = ((peptide - 1.329).abs() > 0.3).float().mean()
        rows.append([float(x) for x in (rmsd(before, truth), rmsd(after, truth), lddt(after, truth), broken)])
    return rows


def draw_curves(work: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    with (work / "log.csv").open(newline="") as log:
        rows = list(csv.DictReader(log))
    steps = [int(row["step"]) for row in rows]
    judged = [row for row in rows if row["lddt_0.1"]]
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(10, 4))
    for name in ("loss", *WEIGHTS):
        left.semilogy(steps, [float(row[name]) for row in rows], label=name)
    for level in JUDGED_AT:
        after = [float(row[f"after_{level}"]) for row in judged]
        right.plot([int(row["step"]) for row in judged], after, label=f"RMSD at level {level}, Å")
    for axis in (left, right):
        axis.set_xlabel("steps")
        axis.legend(fontsize="small")
    figure.tight_layout()
    figure.savefig(work / "curves.png", dpi=120)


def ship(target: Path, run: Run) -> None:
    """The moving average in half precision, with what a reader must know of it."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    origin = {
        "steps": str(run.step),
        "batch": str(run.arguments.batch * run.world),
        "crop": str(run.arguments.crop),
        "two_states_from": str(run.arguments.two_states),
        "commit": commit,
        "date": datetime.now(UTC).date().isoformat(),
    }
    network = run.learner.averaged()
    save_flow(FlowModel(network, run.learner.path, origin), target)
    target.with_suffix(".md").write_text(card(run, origin, sum(value.numel() for value in network.parameters())))


def card(run: Run, origin: dict[str, str], parameters: int) -> str:
    """What a reader must know of the weights."""
    judged = [row for row in run.rows if row.get("lddt_0.1")][-1]
    last = "\n".join(f"| {name} | {value} |" for name, value in judged.items())
    told, drawn = run.arguments, sum(len(one.frames) for one in run.ensembles)
    return f"""# The flow network's weights

{parameters:,} parameters in half precision: the moving average after {run.step} steps of {origin["batch"]} crops
of {told.crop} residues, pairs of states from step {told.two_states} on. Made {origin["date"]} at commit
{origin["commit"]} by `scripts/train/flow.py`.

Data: {len(run.chains.learnt)} chains of 40 to 128 residues (promod3-data, Apache-2.0; PDB, CC0)
and {len(run.pairs.learnt) // 2} proteins in two states (Docking Benchmark 5.5, CoDNaS; PDB, CC0), both ways round;
{drawn} conformations of {len(run.ensembles)} of the chains, by motet's own Monte Carlo at 300 K
(`scripts/train/flow_ensembles.py`).
Left out are chains with 30 % identity to a protein that ensembles are judged on, and, of other families,
{len(run.chains.judged)} chains and {len(run.pairs.judged) // 2} pairs to be judged on.

No side chains were seen: of the torsions only ψ means something. The last row of the log has the losses in
training, and RMSD (Å) before and after, lDDT and the share of broken peptide bonds of one step of denoising on
held-out chains, by level:

| figure | value |
|---|---|
{last}
"""


if __name__ == "__main__":
    main()
