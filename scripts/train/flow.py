"""Train the flow network, and say while it trains how well it takes noise out of proteins it has not seen.

    python scripts/train/flow.py ../shared/data/dynamics WORK --size small             # one core
    python scripts/train/flow.py DATA WORK --size large --batch 64 --crop 128 --workers 12     # one GPU
    torchrun --nproc-per-node 8 scripts/train/flow.py DATA WORK --size large --compile         # several

Chains of one state first; from --two-states on, every fourth batch is of proteins in two states, one given and
the other wanted. Families of sequences are held out of both. The same command goes on where it stopped, and ends
with the bytes of a run that was not stopped: what a step draws depends on the step alone. WORK receives
state.safetensors, log.csv and curves.png; --ship FILE writes the moving average in half precision, and its card.
"""

import argparse
import csv
import json
import os
import subprocess
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import torch
from flow_data import Batch, Example, batch_of, held_out, read_chains, read_pairs
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from motet.fold.flow import FlowConfig, FlowNetwork
from motet.fold.flow_losses import WEIGHTS, backbone_atoms, flow_losses, total
from motet.fold.flow_path import FlowPath
from motet.geometry import lddt, rmsd
from motet.nn import fast_products

RATE, WARM, DECAY, CLIP = 1e-3, 100, 0.01, 1.0
TURNOVER = 800  # steps, from which on the rate falls with the root of the step
MEMORY = 0.999  # of the moving average
JUDGED, JUDGED_AT = 16, (0.1, 0.2, 0.4)  # held-out chains, and levels
PAIRS_EACH = 4  # batches, one of them of pairs
SEEDS_APART = 1_000_003
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
    run = Run(arguments, Parted.of(chains), Parted.of(pairs))
    with fast_products():
        run.train()
    if run.rank == 0:
        draw_curves(arguments.work)
        if arguments.ship:
            ship(arguments.ship, run)


class Parted:
    """Examples to learn from, and others to be judged on."""

    def __init__(self, learnt: list[Example], judged: list[Example]) -> None:
        self.learnt, self.judged = learnt, judged

    @classmethod
    def of(cls, examples: list[Example]) -> "Parted":
        out = held_out(examples)
        parts = [
            [one for one, away in zip(examples, out, strict=True) if away == which] for which in (False, True)
        ]
        return cls(*parts)


def seeded(seed: int, step: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed * SEEDS_APART + step)


@dataclass(frozen=True)
class Work(Dataset):
    """The batch of each step: what it holds depends on the step alone."""

    chains: list[Example]
    pairs: list[Example]
    path: FlowPath
    told: argparse.Namespace
    rank: int
    world: int

    def __getitem__(self, step: int) -> Batch:
        draws = seeded(self.told.seed + 1 + SEEDS_APART, step * self.world + self.rank)
        paired = step >= self.told.two_states and step % PAIRS_EACH == 0
        source = self.pairs if paired else self.chains
        chosen = torch.randint(len(source), (self.told.batch,), generator=draws).tolist()
        return batch_of([source[i] for i in chosen], self.path, self.told.crop, draws)


class Run:
    """A training that can be stopped after any checkpoint."""

    def __init__(self, arguments: argparse.Namespace, chains: Parted, pairs: Parted) -> None:
        self.arguments, self.chains, self.pairs = arguments, chains, pairs
        self.rank, self.world = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
        self.device = torch.device(arguments.device)
        if self.world > 1:
            torch.distributed.init_process_group("nccl" if self.device.type == "cuda" else "gloo")
            if self.device.type == "cuda":
                self.device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
                torch.cuda.set_device(self.device)
        self.path = FlowPath()
        torch.manual_seed(arguments.seed)
        self.network = FlowNetwork(SIZES[arguments.size]).to(self.device)
        self.average = {name: value.detach().clone() for name, value in self.network.named_parameters()}
        self.optimiser = torch.optim.AdamW(self.network.parameters(), lr=RATE, weight_decay=DECAY)
        self.step, self.rows = 0, []
        self.resume()

    def train(self) -> None:
        """All steps that are left, or those that fit into the time."""
        forward: nn.Module = self.network
        if self.world > 1:
            forward = nn.parallel.DistributedDataParallel(self.network)
        if self.arguments.compile:
            forward = torch.compile(forward)
        began = time.monotonic()
        sums: dict[str, float] = {}
        for batch in self.batches():
            for name, value in self.learn(forward, batch).items():
                sums[name] = sums.get(name, 0.0) + value
            self.step += 1
            if self.step % self.arguments.every == 0:
                if self.rank == 0:
                    row = {name: value / self.arguments.every for name, value in sums.items()}
                    if self.step % (self.arguments.every * self.arguments.judge) == 0:
                        row |= self.judge()
                    self.note(row)
                    self.keep()
                sums = {}
                if self.arguments.minutes and time.monotonic() - began > 60 * self.arguments.minutes:
                    break

    def batches(self) -> DataLoader:
        """The batches of the steps that are left, made ahead where there are workers to make them."""
        told = self.arguments
        work = Work(self.chains.learnt, self.pairs.learnt, self.path, told, self.rank, self.world)
        steps = range(self.step, told.steps)
        return DataLoader(work, batch_size=None, sampler=steps, num_workers=told.workers)

    def learn(self, forward: nn.Module, batch: Batch) -> dict[str, float]:
        """One step."""
        draws = seeded(self.arguments.seed + 1, self.step * self.world + self.rank)
        batch = batch.to(self.device)
        noised = self.path.between(batch.target.frames, batch.noise, batch.level)
        previous = None
        with self.precision():
            if torch.rand((), generator=draws) < 0.25:
                with torch.no_grad():
                    previous = forward(batch.inputs, noised, batch.level).clean.translation
            prediction = forward(batch.inputs, noised, batch.level, previous)
        losses = flow_losses(prediction, batch.target, batch.inputs, batch.level, self.path)
        loss = total(losses).mean()
        for group in self.optimiser.param_groups:
            group["lr"] = RATE * min((self.step + 1) / WARM, 1.0, (TURNOVER / (self.step + 1)) ** 0.5)
        self.optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), CLIP)
        self.optimiser.step()
        memory = min(MEMORY, (1 + self.step) / (10 + self.step))
        for name, value in self.network.named_parameters():
            self.average[name].lerp_(value.detach(), 1 - memory)
        return {"loss": float(loss.detach())} | {name: float(one.detach().mean()) for name, one in losses.items()}

    def precision(self) -> torch.autocast:
        """bfloat16 for the pairs on a GPU; the frames stay in float32."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda")

    @torch.no_grad()
    def judge(self) -> dict[str, float]:
        """How well the moving average takes the noise out of held-out chains, by level; the crops are fixed."""
        network = averaged(self)
        found = {}
        for level in JUDGED_AT:
            rows = []
            for start in range(0, min(JUDGED, len(self.chains.judged)), 8):
                draws = torch.Generator().manual_seed(start)
                few = self.chains.judged[start : start + 8]
                batch = batch_of(few, self.path, 128, draws, torch.full((len(few),), level)).to(self.device)
                noised = self.path.between(batch.target.frames, batch.noise, batch.level)
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
        tensors = {f"network.{name}": value for name, value in self.network.named_parameters()}
        tensors |= {f"average.{name}": value for name, value in self.average.items()}
        for name, value in self.network.named_parameters():
            moments = self.optimiser.state[value]
            tensors |= {f"{key}.{name}": moments[key] for key in ("exp_avg", "exp_avg_sq")}
        target = self.arguments.work / "state.safetensors"
        flat = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
        save_file(flat, target.with_suffix(".new"), metadata={"step": str(self.step)})
        os.replace(target.with_suffix(".new"), target)

    def resume(self) -> None:
        target = self.arguments.work / "state.safetensors"
        if not target.exists():
            return
        with safe_open(target, "pt") as source:
            self.step = int(source.metadata()["step"])
            for name, value in self.network.named_parameters():
                value.data.copy_(source.get_tensor(f"network.{name}"))
                self.average[name].copy_(source.get_tensor(f"average.{name}"))
                moments = {key: source.get_tensor(f"{key}.{name}") for key in ("exp_avg", "exp_avg_sq")}
                moments = {key: moment.to(self.device) for key, moment in moments.items()}
                self.optimiser.state[value] = moments | {"step": torch.tensor(float(self.step))}
        with (self.arguments.work / "log.csv").open(newline="") as log:
            self.rows = [row for row in csv.DictReader(log) if int(row["step"]) <= self.step]


def averaged(run: Run) -> FlowNetwork:
    """The network with the moving average of its weights."""
    network = FlowNetwork(run.network.config).to(run.device)
    network.load_state_dict(run.average, strict=False)
    return network.eval()


def quality(batch: Batch, noised, clean) -> list[list[float]]:
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
    metadata = {
        "config": json.dumps(asdict(run.network.config)),
        "path": json.dumps(asdict(run.path)),
        "steps": str(run.step),
        "batch": str(run.arguments.batch * run.world),
        "crop": str(run.arguments.crop),
        "two_states_from": str(run.arguments.two_states),
        "commit": commit,
        "date": datetime.now(UTC).date().isoformat(),
    }
    half: dict[str, Tensor] = {name: value.half().cpu().contiguous() for name, value in run.average.items()}
    save_file(half, target, metadata=metadata)
    target.with_suffix(".md").write_text(card(run, metadata, sum(value.numel() for value in half.values())))


def card(run: Run, metadata: dict[str, str], parameters: int) -> str:
    """What a reader must know of the weights."""
    judged = [row for row in run.rows if row.get("lddt_0.1")][-1]
    last = "\n".join(f"| {name} | {value} |" for name, value in judged.items())
    told = run.arguments
    return f"""# The flow network's weights

{parameters:,} parameters in half precision: the moving average after {run.step} steps of {metadata["batch"]} crops
of {told.crop} residues, pairs of states from step {told.two_states} on. Made {metadata["date"]} at commit
{metadata["commit"]} by `scripts/train/flow.py`.

Data: {len(run.chains.learnt)} chains of 40 to 128 residues (promod3-data, Apache-2.0; PDB, CC0)
and {len(run.pairs.learnt) // 2} proteins in two states (Docking Benchmark 5.5, CoDNaS; PDB, CC0), both ways round.
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
