"""Does `motet mine` find the folds of proteins that switch, without labels?

AF-Cluster's models of KaiB, RfaH and Mad2, as motet mines them, with the trivial methods beside it: k-means with
k = 2 on superposed Cα atoms, and two groups by mean pLDDT alone. Two folds are known of KaiB (2QKE: ground state,
5JYT: fold-switched) and of the C-terminal domain of RfaH (2OUG: helices, 6C6S: strands); a model belongs to the
one that it has the higher TM-score with, if that is above 0.6, or above 0.5 on the short domain.

    python benchmarks/science/mining.py                     # about half a minute of one core
    python benchmarks/science/mining.py --only KaiB_2QKEE

The result is printed as Markdown. Data: the shared `dynamics` and `fold` folders.
"""

import argparse
import time
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from motet.chem import RESIDUES
from motet.cluster import KMeans, adjusted_rand, principal
from motet.ensemble import check_models, mine
from motet.ensemble.exports import residues_of
from motet.geometry import SuperposedCarbons, rmsd, tm_score
from motet.io import read, read_alignments, read_predictions
from motet.structure import Topology

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
MODELS = SHARED / "dynamics" / "af_cluster"
SETS = ("KaiB_2QKEE", "RfaH", "Mad2_1S2H")
RFAH = "codnas_foldswitch|2oug.C|6c6s.D"  # of the shared pairs
LINKER_END = 110  # residues of RfaH before its C-terminal domain


@dataclass(frozen=True, eq=False)
class Folds:
    """Two known folds of some residues.

    Args:
        names: Their PDB entries.
        residues: Which residues of the models they have.
        targets: Their Cα, in Å.
        alike: TM-score above which a model has the fold.
    """

    names: tuple[str, str]
    residues: Int[Tensor, "residues"]
    targets: Float[Tensor, "2 residues 3"]
    alike: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=SETS)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    for name in (options.only,) if options.only else SETS:
        report(name, options.seed)


def report(name: str, seed: int) -> None:
    predictions = read_predictions(MODELS / f"{name}_preds.npz")
    alignments = read_alignments(MODELS / f"{name}_msas.tar.xz", predictions.names)
    began = time.process_time()
    mined = mine(predictions, alignments, seed=seed)
    seconds = time.process_time() - began
    assert mined.confidence is not None
    assert mined.enrichment is not None
    sound = check_models(predictions.structure).sound
    states = len(mined.analysis.states)
    print(f"\n### {name}: {len(predictions)} models, {int(sound.sum())} sound, {seconds:.0f} s of one core\n")
    print(f"{mined.dense.reason[:1].upper()}{mined.dense.reason[1:]}.\n")
    print("| state | models | share | mean pLDDT | spread, Å | median depth |\n|---|---|---|---|---|---|")
    found = mined.enrichment
    for state in mined.analysis.states.states:
        k = state.label
        share = f"{state.population:.3f} ± {state.population_error:.3f}"
        print(
            f"| {k} | {len(state.members)} | {share} | {mined.confidence[k]:.0f} | {state.spread:.1f} | "
            f"{found.depths[k]:.0f} |"
        )
    loose = int((mined.dense.labels < 0).sum())
    print(f"| none | {loose} | | {mined.unassigned_confidence or 0:.0f} | | |\n")
    print(f"Alignment rows: {found.tested} tests, {len(found.rows)} called at a false discovery rate of 5 %.")
    for one in mined.analysis.transitions:
        switched = residues_of(mined.analysis, [switch.residue for switch in one.switches])
        kept = residues_of(mined.analysis, one.groups.members(0).tolist()) if len(one.groups) else "-"
        print(f"{one.start} → {one.end}: {one.rmsd:.1f} Å; largest rigid group {kept}; switching {switched}.")
    labels = torch.full((len(predictions),), -1)
    labels[mined.assigned] = mined.analysis.states.labels
    methods = {"motet mine": labels} | baselines(predictions, sound, max(states, 2), seed)
    print(f"\nAgreement with the alignment a model came from: {by_alignment(predictions, alignments, labels)}\n")
    folds = {"KaiB_2QKEE": folds_of_kaib, "RfaH": folds_of_rfah}.get(name)
    if folds:
        against_folds(predictions, sound, methods, folds(predictions.structure.topology))
    else:
        table = ", ".join(
            f"{key} {adjusted_rand(value[sound], labels[sound]):.2f}" for key, value in methods.items()
        )
        print(f"Adjusted Rand index with motet's states, noise counted as a state: {table}.")


def baselines(predictions, sound, k: int, seed: int) -> dict[str, torch.Tensor]:
    """Clusters anybody would try first."""
    random = torch.Generator().manual_seed(seed)
    kept = predictions.chosen(sound)
    found = {}
    rows, _ = principal(SuperposedCarbons()(kept.structure.topology, kept.structure.coords), 20)
    found["k-means, superposed Cα, k = 2"] = KMeans(2).fit(rows, generator=random).labels
    mean = kept.confidence.mean(-1, keepdim=True)
    found["two groups by pLDDT"] = KMeans(2).fit(mean, generator=random).labels
    whole = {}
    for name, labels in found.items():
        whole[name] = torch.full((len(predictions),), -1)
        whole[name][sound] = labels
    return whole


def by_alignment(predictions, alignments, labels) -> str:
    """State of the model whose alignment shares most rows (Jaccard), against the commonest state."""
    used = [i for i, name in enumerate(predictions.names) if name in alignments and labels[i] >= 0]
    rows = sorted({row for i in used for row in alignments[predictions.names[i]].ids[1:]})
    place = {row: k for k, row in enumerate(rows)}
    member = torch.zeros(len(used), len(rows))
    for k, i in enumerate(used):
        member[k, [place[row] for row in set(alignments[predictions.names[i]].ids[1:])]] = 1
    shared = member @ member.T
    size = member.sum(-1)
    jaccard = (shared / (size[:, None] + size - shared).clamp_min(1)).fill_diagonal_(-1)
    best, nearest = jaccard.max(-1)
    truth = labels[used]
    guess = truth[nearest]
    close = best > 0
    recalls = [float((guess[close & (truth == k)] == k).float().mean()) for k in range(int(truth.max()) + 1)]
    balanced = sum(recalls) / len(recalls)
    return (
        f"the model of the nearest alignment has the same state with balanced accuracy {balanced:.2f} "
        f"(chance {1 / len(recalls):.2f}); by state " + ", ".join(f"{one:.2f}" for one in recalls)
    )


def folds_of_kaib(topology: Topology) -> Folds:
    found = [read(SHARED / "fold" / f"{entry}.pdb") for entry in ("2qkeE", "5jytA")]
    targets = [fold.coords[torch.from_numpy(fold.topology.atom_index("CA"))].float() for fold in found]
    return Folds(("2QKE", "5JYT"), torch.arange(topology.n_residues), torch.stack(targets), 0.6)


def folds_of_rfah(topology: Topology) -> Folds:
    """The C-terminal domain, as far as both entries have it."""
    pairs = np.load(SHARED / "dynamics/pairs/pairs.npz", allow_pickle=True)
    row = [str(key) for key in pairs["key"]].index(RFAH)
    end = int(np.cumsum(pairs["length"])[row])
    inside = slice(end - int(pairs["length"][row]), end)
    sequence = "".join(RESIDUES[name].letter for name in topology.residue_names)
    entries = pairs["seq"][inside].tobytes().decode()
    blocks = SequenceMatcher(None, entries, sequence, autojunk=False).get_matching_blocks()
    same = torch.tensor([(one.a + k, one.b + k) for one in blocks for k in range(one.size)])
    same = same[same[:, 1] >= LINKER_END]
    carbons = torch.from_numpy(pairs["coords"][inside, :, 1].astype(np.float32) / 100)
    return Folds(("2OUG", "6C6S"), same[:, 1], carbons[same[:, 0]].transpose(0, 1), 0.5)


def against_folds(predictions, sound, methods: dict[str, torch.Tensor], folds: Folds) -> None:
    carbons = predictions.structure.coords[:, predictions.structure.topology.atom_index("CA")][:, folds.residues]
    far = torch.stack([rmsd(carbons, target.expand_as(carbons)) for target in folds.targets])
    like = torch.stack([tm_score(carbons, target.expand_as(carbons)) for target in folds.targets])
    truth = torch.where(like.amax(0) > folds.alike, like.argmax(0), -1)
    counted = torch.bincount(truth[sound] + 1, minlength=3).tolist()
    first, second = folds.names
    print(
        f"By TM-score of {len(folds.residues)} residues {counted[1]} sound models are {first}, {counted[2]} "
        f"{second}, {counted[0]} neither.\n"
    )
    header = ("method", "cluster", "models", first, second, "neither", "purity", f"Å to {first}", f"to {second}")
    print("| " + " | ".join((*header, "mean pLDDT")) + " |")
    print("|---" * (len(header) + 1) + "|")
    plddt = predictions.confidence.mean(-1)
    for name, labels in methods.items():
        for k in range(int(labels.max()) + 1):
            inside = (labels == k) & sound
            parts = torch.bincount(truth[inside] + 1, minlength=3).tolist()
            purity = max(parts[1:]) / max(sum(parts), 1)
            rows = [f"{float(far[fold, inside].median()):.1f}" for fold in (0, 1)]
            print(
                f"| {name} | {k} | {int(inside.sum())} | {parts[1]} | {parts[2]} | {parts[0]} | {purity:.3f} | "
                f"{rows[0]} | {rows[1]} | {plddt[inside].mean():.0f} |"
            )
        known = sound & (truth >= 0)
        index = adjusted_rand(labels[known], truth[known])
        recall = [float((labels[known & (truth == f)] == _home(labels, truth, f)).float().mean()) for f in (0, 1)]
        print(
            f"| {name} | | | recall {recall[0]:.2f} | recall {recall[1]:.2f} | | adjusted Rand {index:.2f} | | | |"
        )


def _home(labels, truth, fold: int) -> int:
    """The cluster, never noise, that holds the largest share of a fold relative to its size."""
    shares = [float((truth[labels == k] == fold).float().mean()) for k in range(int(labels.max()) + 1)]
    return max(range(len(shares)), key=lambda k: shares[k])


if __name__ == "__main__":
    main()
