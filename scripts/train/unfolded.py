"""Make `src/motet/forcefield/tables/unfolded.csv`: where the fit of the reference energies starts.

A chain without a fold is taken as five-residue pieces that are cut out of structures and see no other piece. The
energy of a residue type is what the middle residue of its pieces has on average, all weights one, without the
covalent, clash and unfolded terms, whose strain belongs to the crystal (the fragment model of the unfolded
state of Rosetta: Leaver-Fay et al., Methods Enzymol. 523 (2013) 109).

    python scripts/train/unfolded.py ../shared/data/structures/{1ubq,1aki,4ake_A,5v2d,5umr,5opj,6f8b}.pdb
"""

import sys
from collections import defaultdict
from pathlib import Path

import torch

from motet.chem import STANDARD
from motet.forcefield import ForceField
from motet.io import read

OUT = Path(__file__).parents[2] / "src/motet/forcefield/tables/unfolded.csv"
LEFT_OUT = ("covalent", "clash", "unfolded")
SIDE = 2  # residues of a piece on each side of its middle
MOST = 300  # pieces of one structure


def main(paths: list[str]) -> None:
    energies: dict[str, list[float]] = defaultdict(list)
    force_field = ForceField()
    for path in paths:
        structure = read(path).protein().without_hydrogens()
        structure = structure.with_coords(structure.model(0).coords)
        follows = structure.topology.follows
        middles = [
            k for k in range(SIDE, structure.n_residues - SIDE) if follows[k - SIDE + 1 : k + SIDE + 1].all()
        ]
        residues = structure.topology.residue_of_atom
        pieces = [structure.subset(abs(residues - k) <= SIDE) for k in middles[:MOST]]
        system = force_field.bind(pieces)
        kept = torch.tensor([name not in LEFT_OUT for name in system.names])
        with torch.no_grad():
            table = system.table(torch.cat([piece.coords for piece in pieces]))
        by_residue = table.values[..., kept].sum(-1).reshape(-1, 2 * SIDE + 1)[:, SIDE]
        names = system.layout.parents.reshape(-1, 2 * SIDE + 1)[:, SIDE]
        for name, value in zip(names.tolist(), by_residue.tolist(), strict=True):
            energies[name].append(value)
    names = [name for name in STANDARD if name in energies]
    lines = [
        "# Source: scripts/train/unfolded.py, mean energy of the middle residue of pieces of five residues",
        f"# of PDB entries {', '.join(Path(path).stem for path in paths)}; scripts/train/ddg.py fits them.",
        "residue,energy_kcal_mol",
    ]
    for name in names:
        values = torch.tensor(energies[name])
        lines.append(f"{name},{values.mean():.2f}")
        print(name, len(values), f"{values.mean():.2f} +- {values.std():.2f}")
    OUT.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
