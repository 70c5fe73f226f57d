"""How near does an ensemble of one state come to the other state?

Best Cα RMSD to the bound structure among 100 conformations of motet's default ensemble of the unbound one and
among 100 draws along motet's own soft modes, with the trivial peer beside them: conformations along ANM's soft
modes. Draws along modes are 1 Å wide. Data: unbound and bound proteins of the Docking Benchmark 5.5 in the shared
`dynamics/pairs`; of those that move more than 2 Å the ones without gaps, smallest first.

    python benchmarks/science/other_state.py --most 6 --count 100            # about a minute a pair on one core
    python benchmarks/science/other_state.py --most 21 --no-ensemble         # modes alone: half a minute a pair

The result is printed as a Markdown table; `benchmarks/results/` keeps it with date, machine and commit.
"""

import argparse
import csv
import sys
import time

import numpy as np
import torch
from elastic import along, soft_modes
from fluctuations import SHARED, from_backbone

from motet.ensemble import AlongModes, Generator, MonteCarlo, Plan, prepared, produce
from motet.forcefield import ForceField
from motet.geometry import rmsd
from motet.structure import Structure

SET = "db5.5_unbound_bound"
MOVES = 2.0  # Å between the states
AMPLITUDE = 1.0  # Å, of draws along modes
GAP = 1.6  # Å, longest C-N bond of a chain without gaps


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--most", type=int, default=6, help="pairs to try")
    parser.add_argument("--skip", type=int, default=0, help="pairs to leave out before them")
    parser.add_argument("--longest", type=int, default=200, help="residues")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--no-ensemble", action="store_true", help="leave the default ensemble out, which is dear")
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for name, sequence, first, second in moving_pairs(options.longest)[options.skip :][: options.most]:
        began = time.process_time()
        random = np.random.default_rng(options.seed)
        row = [name, len(sequence), nearest(first[None, :, 1], second[:, 1])]
        swayed = along(first[:, 1], soft_modes(first[:, 1]), AMPLITUDE, options.count, random)
        row.append(nearest(swayed, second[:, 1]))
        structure = prepared_from(sequence, first)
        generators = [AlongModes(topology=structure.topology, amplitude=AMPLITUDE)]
        generators += [] if options.no_ensemble else [MonteCarlo(topology=structure.topology)]
        row += [nearest(ensemble(structure, generator, options), second[:, 1]) for generator in generators]
        rows.append([*row, time.process_time() - began])
        print(rows[-1], file=sys.stderr, flush=True)
    print_table(rows)


def moving_pairs(longest: int) -> list[tuple[str, str, np.ndarray, np.ndarray]]:
    """Name, sequence and backbones of the pairs that move, have no gaps and are small enough, smallest first."""
    folder = SHARED / "dynamics/pairs"
    data = np.load(folder / "pairs.npz", allow_pickle=True)
    ends = np.cumsum(data["length"])
    with (folder / "pairs.csv").open() as source:
        distances = {f"{row['name']}|{row['other']}": float(row["ca_rmsd"]) for row in csv.DictReader(source)}
    found = []
    for row, distance in enumerate(distances.values()):
        begin, end = int(ends[row] - data["length"][row]), int(ends[row])
        numbers, coords = data["resindex_A"][begin:end], data["coords"][begin:end].astype(np.float64) / 100
        sequence = data["seq"][begin:end].tobytes().decode()
        bonds = np.linalg.norm(coords[1:, 0, 0] - coords[:-1, 0, 2], axis=-1)
        whole = (np.diff(numbers) == 1).all() and (bonds < GAP).all()
        origin, name, _ = str(data["key"][row]).split("|")
        if origin == SET and distance > MOVES and whole and len(sequence) <= longest:
            found.append((name, sequence, coords[:, 0], coords[:, 1]))
    return sorted(found, key=lambda one: (len(one[1]), one[0]))


def prepared_from(sequence: str, backbone: np.ndarray) -> Structure:
    atoms = {name: backbone[:, column] for column, name in enumerate(("N", "CA", "C", "O"))}
    return prepared(from_backbone(atoms | {"sequence": sequence}))


def ensemble(structure: Structure, generator: Generator, options: argparse.Namespace) -> np.ndarray:
    """Cα of an ensemble."""
    steps = 0 if isinstance(generator, AlongModes) else Plan().minimise_steps  # modes are those of the start
    plan = Plan(count=options.count, seed=options.seed, minimise_steps=steps, relax_steps=0)
    made = produce(structure, ForceField().bind(structure), generator, plan)
    return made.coords[:, torch.from_numpy(structure.topology.atom_index("CA"))].double().numpy()


def nearest(conformations: np.ndarray, target: np.ndarray) -> float:
    """Least Cα RMSD to the target, in Å."""
    moved, goal = torch.from_numpy(conformations), torch.from_numpy(target)
    return round(float(rmsd(moved, goal.expand_as(moved)).min()), 2)


def print_table(rows: list) -> None:
    columns = ["start", "ANM", "motet, modes", "motet"][: len(rows[0]) - 3] if rows else []
    print("| pair | residues | " + " | ".join(columns) + " | CPU s |")
    print("|---|---|" + "---|" * (len(columns) + 1))
    for row in rows:
        print("| " + " | ".join(str(value) for value in row[:-1]) + f" | {row[-1]:.0f} |")
    middle = [f"{np.mean([row[2 + column] for row in rows]):.2f}" for column in range(len(columns))]
    print("| **mean** | | " + " | ".join(middle) + " | |")


if __name__ == "__main__":
    main()
