"""Does loop closure find what is there, and does the walk among closed loops keep what it must?

Real tripeptides and loops of the shared `loops` folder. Native conformations recovered, speed, how often the
necessary condition rejects what closes, how often a step of hit and run closes, and what it does to bond lengths
and angles. (Detailed balance is a test: `tests/geometry/loops/test_sampler.py`.)

    python benchmarks/science/kinematics.py      # about two minutes on one core
"""

import csv
import json
import sys
import time
from pathlib import Path

import numpy as np
import torch

from motet.geometry import angle, distance
from motet.geometry.loops import Walk, close_tripeptide, geometric_step, list_closures, tripeptide_internals
from motet.geometry.loops.arcs import Peptides, may_close

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "loops"
LEGS = ((0.5, 0.2), (1.0, 0.4), (2.0, 0.8), (4.0, 2.0))  # Å and rad by which the last leg is moved
LONGEST = 4.5  # Å from Cα to Cα in a whole chain
CHAINS, STEPS = 32, 20  # of each walk


def main() -> None:
    torch.set_num_threads(1)
    windows = tripeptides()
    print("| what | found |\n|---|---|")
    for name, value in (*cases(), *natives(windows), *condition(windows)):
        print(f"| {name} | {value} |", flush=True)
    print(
        "\n| loops | residues | steps that close | taken | worst change of an inner bond, Å | of an angle, rad |"
    )
    print("|---|---|---|---|---|---|")
    for row in walks():
        print("| " + " | ".join(row) + " |", flush=True)


def tripeptides() -> torch.Tensor:
    """N, CA and C of every three successive residues of every chain of the set."""
    found, seen = [], set()
    for path in sorted((SHARED / "bb").glob("*.npz")):
        data = np.load(path)
        trace = data["bb"][:, :3].astype(np.float64)
        if (name := (str(data["seq"]), trace.shape)) in seen:
            continue
        seen.add(name)
        three = np.stack((trace[:-2], trace[1:-1], trace[2:]), axis=1)
        whole = np.isfinite(three).all((1, 2, 3))
        steps = np.linalg.norm(np.diff(three[:, :, 1], axis=1), axis=-1)
        found.append(three[whole & (np.nan_to_num(steps, nan=9.0) < LONGEST).all(1)].reshape(-1, 9, 3))
    return torch.from_numpy(np.concatenate(found))


def cases() -> list[tuple[str, str]]:
    """The problems with known answers."""
    known = json.loads((SHARED / "tripeptide_closure.json").read_text())["cases"]
    right = 0
    for case in known:
        anchors = [case[name] for name in ("N1", "A1", "A3", "C3")]
        lengths, angles, omegas, ends = (
            torch.tensor(one, dtype=torch.float64)
            for one in (case["b_len"], case["b_ang"], case["t_ang"], anchors)
        )
        closed = close_tripeptide(lengths, angles, omegas, ends)
        found = closed.coords[closed.exists]
        off = [
            (found - torch.tensor(one["xyz"], dtype=torch.float64)).abs().amax((-2, -1)).min().item()
            for one in case["solutions"]
        ]
        right += len(found) in case["accept_n"] and all(one < max(case["tolerance_xyz"], 1e-8) for one in off)
    return [("cases with known answers, every solution right", f"{right} of {len(known)}")]


def natives(windows: torch.Tensor) -> list[tuple[str, str]]:
    """Whether the conformation that is there is among the solutions, and how fast they come."""
    problems = tripeptide_internals(windows)
    began = time.process_time()
    found = list_closures(*problems)
    took = time.process_time() - began
    off = (found.coords - windows[found.problem]).abs().amax((-2, -1))
    nearest = torch.full((len(windows),), torch.inf, dtype=off.dtype)
    nearest.scatter_reduce_(0, found.problem, off, "amin")
    missed = int((nearest > 1e-6).sum())
    count = found.problem.bincount(minlength=len(windows))
    share = " / ".join(f"{100 * float((count == k).double().mean()):.1f}" for k in (2, 4, 6, 8))
    return [
        ("tripeptides", f"{len(windows):,}"),
        ("native conformations not recovered to 1e-6 Å", str(missed)),
        ("largest error of a native conformation, Å", f"{float(nearest.max()):.1e}"),
        ("2 / 4 / 6 / 8 solutions, %", share),
        ("closures a second of processor time, one thread", f"{len(windows) / took:,.0f}"),
    ]


def condition(windows: torch.Tensor) -> list[tuple[str, str]]:
    """The necessary condition on 24,000 legs moved away from where they are."""
    random = torch.Generator().manual_seed(0)
    rows, rejected = [], 0
    for shift, turn in LEGS:
        atoms = windows[torch.randint(len(windows), (6000,), generator=random)]
        spin, move = torch.nn.functional.normalize(
            torch.randn(2, 6000, 3, generator=random, dtype=torch.float64), dim=-1
        )
        zero = torch.zeros(6000, dtype=torch.float64)
        x, y, z = (turn * spin).unbind(-1)
        skew = torch.stack((zero, -z, y, z, zero, -x, -y, x, zero), -1).reshape(-1, 3, 3)
        leg = atoms[:, 7:] - atoms[:, 7:].mean(1, keepdim=True)
        moved = leg @ torch.linalg.matrix_exp(skew).mT + atoms[:, 7:].mean(1, keepdim=True) + shift * move[:, None]
        anchors = torch.cat((atoms[:, :2], moved), dim=1)
        closing = list_closures(*tripeptide_internals(atoms)[:3], anchors).problem.unique()
        may = may_close(Peptides.of(atoms), anchors)
        rejected += int((~may[closing]).sum())
        rows.append(f"{len(closing) / 6000:.2f} → {len(closing) / max(int(may.sum()), 1):.2f}")
    return [
        ("feasible legs that the necessary condition rejects, of 24,000", str(rejected)),
        ("chance that a leg moved by 0.5 / 1 / 2 / 4 Å closes → given the condition", ", ".join(rows)),
    ]


def walks() -> list[list[str]]:
    """Hit and run from the native of every loop of 12 residues or more, by length."""
    with (SHARED / "index.csv").open() as source:
        loops = [row for row in csv.DictReader(source) if 12 <= int(row["length"]) <= 18]
    by_length: dict[int, list[tuple[float, float, float, float]]] = {}
    for row in loops:
        data = np.load(SHARED / "bb" / f"{row['key']}.npz")
        trace = torch.from_numpy(data["bb"][int(data["start"]) : int(data["end"]) + 1, :3].astype(np.float64))
        if not torch.isfinite(trace).all():
            continue
        walk, random = Walk.start(trace.expand(CHAINS, -1, -1, -1)), torch.Generator().manual_seed(0)
        for _ in range(STEPS):
            walk = geometric_step(walk, random)
        off = [(one - two).abs().max().item() for one, two in zip(inner(walk.trace), inner(trace), strict=True)]
        rates = float(walk.closed.mean()) / STEPS, float(walk.accepted.mean()) / STEPS
        by_length.setdefault(int(row["length"]), []).append((*rates, off[0], off[1]))
        print(row["key"], rates, off, file=sys.stderr, flush=True)
    table = []
    for length, rows in sorted(by_length.items()):
        every = np.array(rows)
        low, middle = every.min(0), np.median(every, axis=0)
        closing, taken = (f"{middle[k]:.2f} (least {low[k]:.2f})" for k in (0, 1))
        worst = (f"{every[:, k].max():.1e}" for k in (2, 3))
        table.append([str(len(rows)), str(length), closing, taken, *worst])
    return table


def inner(trace: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Bond lengths and angles along a backbone."""
    atoms = trace.flatten(-3, -2).unbind(-2)
    bonds = [distance(atoms[k], atoms[k + 1]) for k in range(len(atoms) - 1)]
    angles = [angle(*atoms[k : k + 3]) for k in range(len(atoms) - 2)]
    return torch.stack(bonds, -1), torch.stack(angles, -1)


if __name__ == "__main__":
    main()
