"""Does the learned flow move proteins where they move, and towards their other states?

Three questions, each beside the trivial answers:

    python benchmarks/science/flow.py WEIGHTS --bundles       # RMSF of 17 NMR bundles; GNM and ANM beside it
    python benchmarks/science/flow.py WEIGHTS --pairs         # the other state of proteins held out of training
    python benchmarks/science/flow.py WEIGHTS --bundles --relaxed   # all atoms: packed, relaxed, validated

Without --relaxed only the network's own frames are drawn, some seconds a protein. `--untrained` takes a network of
the same shape whose last layers are zero (it gives the noise back), `--doubt -1` hides the start's distances,
`--profile` shows the shares of amino acids in the family (of chains of ProMod3 alone, with --ensembles),
`--guided` pushes each step down the force field, `--told 5` (with --pairs) towards five distances of the other
state, as spectroscopy would give them, and `--level` says how far to disturb: these are the rows of the ablation
tables. A level is chosen with `--training`,
on pairs that were trained on, or with `--ensembles`, the Monte Carlo of chains held out (`flow_ensembles.py
--held-out`); neither bundles nor held-out pairs may choose it. Data: the shared `dynamics`.
One row a protein is appended to --out as soon as it is done: a stopped run goes on where it was.
"""

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from elastic import along, soft_modes
from fluctuations import SHARED, append, bundle, bundles, core, correlation, from_backbone, rmsf_of, rows_of

from motet.ensemble.flow import DOUBT, LEVEL, PUSH, STEPS

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts" / "train"))

GNM_REACH = 10.0  # Å: contacts of GNM
AMPLITUDES = (0.5, 1.0, 2.0)  # Å of ANM's conformations
APART = 5  # residues: how near a residue whose distance is told another such may be
ROUND = 20  # conformations drawn at once


@dataclass(frozen=True)
class Free:
    """What a generator must know of a system in which every atom may move and nothing is relaxed."""

    mobile: torch.Tensor


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--bundles", action="store_true")
    parser.add_argument("--pairs", action="store_true")
    parser.add_argument("--training", action="store_true", help="pairs that were trained on, to choose the level")
    parser.add_argument("--ensembles", type=Path, help="Monte Carlo of held-out chains, to choose the level")
    parser.add_argument("--most", type=int, default=1000, help="proteins to try")
    parser.add_argument("--longest", type=int, default=300, help="residues")
    parser.add_argument("--level", type=float, default=LEVEL)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--doubt", type=float, default=DOUBT, help="below 0: the network sees no start")
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--guided", action="store_true", help="by the force field")
    parser.add_argument("--push", type=float, default=PUSH, help="of a guide, in Å a step")
    parser.add_argument("--told", type=int, default=0, help="distances of the other state")
    parser.add_argument("--untrained", action="store_true")
    parser.add_argument("--relaxed", action="store_true")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("flow.csv"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    done = {row["target"] for row in rows_of(options.out)}
    if options.bundles:
        for path in bundles()[: options.most]:
            if path.stem not in done:
                append(options.out, {"target": path.stem} | on_bundle(*bundle(path), options))
    if options.ensembles:
        for path in sorted(options.ensembles.glob("*.npz"))[: options.most]:
            if path.stem not in done:
                profile = profile_of(path.stem) if options.profile else None
                append(options.out, {"target": path.stem} | on_bundle(*monte_carlo(path), options, profile))
    if options.pairs or options.training:
        for one in chosen_pairs(options)[: options.most]:
            if one.name not in done:
                append(options.out, {"target": one.name} | on_pair(one, options))
    print_table(rows_of(options.out))


def on_bundle(
    start: dict, carbons: np.ndarray, options: argparse.Namespace, profile: torch.Tensor | None = None
) -> dict[str, float | int | str]:
    """Pearson's r of RMSF over the whole chain, and between the loose ends."""
    structure = start["structure"] if "structure" in start else from_backbone(start)
    drawn, sound = conformations(structure, options, profile=profile, guide=physics(structure, options))
    kept, reference = core(carbons), rmsf_of(carbons)
    row: dict[str, float | int | str] = {"residues": carbons.shape[1], "rmsf": rounded(rmsf_of(drawn).mean())}
    found = {"flow": (rmsf_of(drawn), rmsf_of(drawn[:, kept]))}
    found |= {name: (rmsf, rmsf[kept]) for name, rmsf in elastic(start["CA"])}
    for name, (whole, inner) in found.items():
        row |= {name: correlation(whole, reference)}
        row |= {f"{name}_core": correlation(inner, rmsf_of(carbons[:, kept]))}
    return row | sound


def monte_carlo(path: Path) -> tuple[dict, np.ndarray]:
    """Conformations made by physics, the one nearest to their mean as the start."""
    from motet.geometry import superposed_to_mean

    data = np.load(path)
    frames = data["coords"].astype(np.float64) / 100
    laid, mean = superposed_to_mean(torch.from_numpy(frames[:, :, 1]))
    middle = frames[int((laid - mean).square().sum((-1, -2)).argmin())]
    start = {name: middle[:, i] for i, name in enumerate(("N", "CA", "C", "O"))}
    return start | {"sequence": str(data["seq"])}, frames[:, :, 1]


def on_pair(one, options: argparse.Namespace) -> dict[str, float | int | str]:
    """Best Cα RMSD and TM-score to the other state, of the start, of ANM at three amplitudes, and of the flow."""
    first, second = (state.double().numpy() for state in (one.example.reference, one.example.backbone))
    start = {name: first[:, i] for i, name in enumerate(("N", "CA", "C", "O"))} | {"sequence": one.sequence}
    structure = from_backbone(start)
    told = farthest_off(first[:, 1], second[:, 1], options.told)
    drawn, sound = conformations(structure, options, guide=restraint(structure, second[:, 1], told))
    for name, carbons in (("told off, static", first[None, :, 1]), ("told off, flow", drawn)):
        sound |= {name: off(carbons, second[:, 1], told)} if len(told) else {}
    row: dict[str, float | int | str] = {"residues": len(first)} | nearest("static", first[None, :, 1], second)
    modes = soft_modes(first[:, 1])
    for amplitude in AMPLITUDES:
        random = np.random.default_rng(options.seed)
        moved = along(first[:, 1], modes, amplitude, options.count, random)
        row |= nearest(f"ANM {amplitude} Å", moved, second)
    displaced = np.linalg.norm(superposed_carbons(first, second) - second[:, 1], axis=-1)
    return row | nearest("flow", drawn, second) | {"r_displaced": correlation(rmsf_of(drawn), displaced)} | sound


def profile_of(name: str) -> torch.Tensor:
    """Shares of amino acids in the family of a chain of ProMod3's data base."""
    from flow_data import read_chains

    (found,) = (one for one in read_chains(SHARED / "dynamics/promod3_chains") if one.name == name)
    return found.example.inputs.profile


def physics(structure, options: argparse.Namespace):
    """The force field as a guide, where it is asked for."""
    from motet.forcefield import ForceField

    return ForceField().bind(structure) if options.guided else None


def farthest_off(first: np.ndarray, second: np.ndarray, count: int) -> np.ndarray:
    """Pairs of Cα whose distance differs most between two states, each at other residues: `pairs 2`."""
    change = np.triu(np.abs(apart(first) - apart(second)))
    chosen: list[tuple[int, int]] = []
    while len(chosen) < count and change.max() > 0:
        i, j = (int(one) for one in np.unravel_index(change.argmax(), change.shape))
        chosen.append((i, j))
        for near in (i, j):
            here = slice(max(near - APART, 0), near + APART + 1)
            change[here] = change[:, here] = 0
    return np.array(chosen, dtype=np.int64).reshape(-1, 2)


def restraint(structure, second: np.ndarray, told: np.ndarray):
    """Towards these distances of the other state; None where there are none."""
    from motet.forcefield.restraints import DistanceRestraint

    carbons, goal = structure.topology.atom_index("CA"), apart(second)[tuple(told.T)]
    return DistanceRestraint(torch.from_numpy(carbons[told]), torch.from_numpy(goal)) if len(told) else None


def off(carbons: np.ndarray, second: np.ndarray, told: np.ndarray) -> float:
    """Root mean square of what is missing to the distances, in Å: the median of the conformations."""
    i, j = told.T
    missing = np.linalg.norm(carbons[:, i] - carbons[:, j], axis=-1) - apart(second)[i, j]
    return rounded(np.median(np.sqrt((missing**2).mean(-1))))


def apart(carbons: np.ndarray) -> np.ndarray:
    """All distances."""
    return np.linalg.norm(carbons[:, None] - carbons, axis=-1)


def conformations(structure, options: argparse.Namespace, **told) -> tuple[np.ndarray, dict[str, float]]:
    """Cα of the flow's draws; with --relaxed what is left to complain about in them; and the time they took."""
    from motet.ensemble import Plan, prepared, produce
    from motet.ensemble.flow import Flow
    from motet.forcefield import ForceField

    began = time.process_time()
    settings = {
        "level": options.level,
        "steps": options.steps,
        "doubt": None if options.doubt < 0 else options.doubt,
        "push": options.push,
        "replicas": ROUND,
    } | told
    if options.relaxed:
        structure = prepared(structure)
        flow = Flow(structure=structure, model=model_of(options), **settings)
        plan = Plan(count=options.count, seed=options.seed, relax_steps=0)
        coords = produce(structure, ForceField().bind(structure), flow, plan).coords
    else:
        flow = Flow(structure=structure, model=model_of(options), packed=False, settling=0, **settings)
        system = Free(torch.ones(structure.n_atoms, dtype=torch.bool))
        state, kept = flow.start(system, structure.coords, options.seed), []
        for _ in range(-(-options.count // ROUND)):
            state, drawn = flow.draw(system, state)
            kept.append(drawn)
        coords = torch.cat(kept)[: options.count]
    cost = {"cpu_s": round(time.process_time() - began)}
    carbons = torch.from_numpy(structure.topology.atom_index("CA"))
    carbons = carbons[carbons >= 0]
    sound = soundness(structure.with_coords(coords)) if options.relaxed else {}
    return coords[:, carbons].double().numpy(), sound | cost


def model_of(options: argparse.Namespace):
    from motet.fold.flow import FlowNetwork
    from motet.fold.flow_weights import FlowModel, load_flow

    model = load_flow(options.weights)
    if not options.untrained:
        return model
    torch.manual_seed(options.seed)
    return FlowModel(FlowNetwork(model.network.config).eval(), model.path, {"steps": "0"})


def soundness(structure) -> dict[str, float]:
    """Worst bond, longest peptide bond, closest pair, and Ramachandran outliers in percent, over all draws."""
    from motet.ensemble import inspect_geometry
    from motet.validation import Verdict, ramachandran

    found = inspect_geometry(structure)
    _, carbon, _, nitrogen, _ = torch.from_numpy(structure.topology.peptide_bonds).T
    peptide = structure.coords[:, nitrogen] - structure.coords[:, carbon]
    judged = ramachandran(structure.topology, structure.coords).verdict
    outliers = (judged == Verdict.OUTLIER).sum() / (judged != Verdict.UNJUDGED).sum()
    return {
        "worst_bond": rounded(found.worst_bond.max(), 4),
        "longest_peptide": rounded(peptide.norm(dim=-1).max(), 3),
        "closest_pair": rounded(found.closest_pair.min()),
        "outliers_percent": rounded(100 * outliers),
    }


def chosen_pairs(options: argparse.Namespace) -> list:
    """Pairs of families that were not learnt from, as chains or as pairs; or pairs that were; one way round."""
    from flow_data import families, held_out, read_chains, read_pairs

    pairs, chains = read_pairs(SHARED / "dynamics/pairs"), read_chains(SHARED / "dynamics/promod3_chains")
    away = held_out(pairs)
    family = families([one.sequence for one in (*pairs, *chains)])
    learnt = {number for number, out in zip(family, (*away, *held_out(chains)), strict=True) if not out}
    fits = [
        one
        for one, out, number in zip(pairs, away, family[: len(pairs)], strict=True)
        if (not out if options.training else number not in learnt)
        and one.name.endswith(":0")
        and len(one.sequence) <= options.longest
    ]
    return sorted(fits, key=lambda one: (len(one.sequence), one.name))


def elastic(carbons: np.ndarray) -> list[tuple[str, np.ndarray]]:
    """RMSF of GNM (Bahar et al. 1997, all modes) and of ANM (its soft modes)."""
    distance = apart(carbons)
    contacts = ((distance < GNM_REACH) & (distance > 0)).astype(float)
    inverse = np.linalg.pinv(np.diag(contacts.sum(1)) - contacts, hermitian=True)
    values, vectors = soft_modes(carbons)
    squared = (vectors**2 / values).reshape(len(carbons), 3, -1).sum((1, 2))
    return [("GNM", np.sqrt(np.diag(inverse))), ("ANM", np.sqrt(squared))]


def nearest(name: str, carbons: np.ndarray, second: np.ndarray) -> dict[str, float]:
    """Least RMSD (Å) and largest TM-score to the other state."""
    from motet.geometry import rmsd, tm_score

    moved, goal = torch.from_numpy(carbons), torch.from_numpy(second[:, 1])
    goal = goal.expand_as(moved)
    return {name: rounded(rmsd(moved, goal).min()), f"{name} TM": rounded(tm_score(moved, goal).max(), 3)}


def superposed_carbons(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    from motet.geometry import superposed

    return superposed(torch.from_numpy(first[:, 1]), torch.from_numpy(second[:, 1])).numpy()


def rounded(value, digits: int = 2) -> float:
    return round(float(value), digits)


def print_table(rows: list[dict[str, str]]) -> None:
    if not rows:
        return
    names = [name for name in rows[0] if name != "target"]
    print("| target | " + " | ".join(names) + " |\n|---" + "|---" * len(names) + "|")
    for row in rows:
        print("| " + " | ".join(value.replace("|", " ") for value in row.values()) + " |")
    middle = [f"{np.median([float(row[name]) for row in rows]):.3f}" for name in names]
    print("| **median** | " + " | ".join(middle) + " |")


if __name__ == "__main__":
    main()
