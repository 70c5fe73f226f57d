"""Where water ends and protein begins: percentiles of the burial sum, for `forcefield/tables/electrostatics.csv`.

Over the heavy atoms of the given structures the sum Σ V exp(-r²/2s²) of `System.burial` is low at the surface and
high inside. Printed are percentiles of all protein atoms, and of those that carry charge.

    python scripts/train/burial.py ../shared/data/structures/{1ubq,1aki,4ake_A,5v2d,5umr}.pdb
"""

import sys

import torch

from motet.forcefield import ForceField
from motet.io import read

CHARGED = {"OD1": "ASP", "OD2": "ASP", "OE1": "GLU", "OE2": "GLU", "NZ": "LYS", "NH1": "ARG", "NH2": "ARG"}


def main(paths: list[str]) -> None:
    everything, charged = [], []
    for path in paths:
        structure = read(path).protein()
        system = ForceField().bind(structure)
        burial = system.burial(structure.model(0).coords).detach()
        names = zip(system.layout.names, system.layout.residue_names[system.layout.residue_of_atom], strict=True)
        charges = torch.tensor([CHARGED.get(str(atom)) == residue for atom, residue in names])
        everything.append(burial)
        charged.append(burial[charges])
    at = torch.tensor([0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98])
    print("percentile", [round(100 * float(p)) for p in at])
    for name, values in (("all", everything), ("charged", charged)):
        print(name, [round(float(v)) for v in torch.cat(values).quantile(at)])


if __name__ == "__main__":
    main(sys.argv[1:])
