"""Make `src/motet/chem/tables/{residues,atoms,bonds}.csv` from the Chemical Component Dictionary.

The dictionary (wwPDB, CC0) is read from biotite's copy: `pip install biotite==1.6.0`, then
`python scripts/tables/residues.py`. Ideal coordinates, bonds and parents are the dictionary's; the choice of
components is ours.
"""

import csv
from pathlib import Path

import biotite.structure.info as info
from biotite.structure.info.ccd import get_ccd

TABLES = Path(__file__).parents[2] / "src/motet/chem/tables"
SOURCE = "# Source: wwPDB Chemical Component Dictionary (CC0), by scripts/tables/residues.py.\n"
STANDARD = "ALA ARG ASN ASP CYS GLN GLU GLY HIS ILE LEU LYS MET PHE PRO SER THR TRP TYR VAL".split()
# Modified residues, caps and rare amino acids that are common enough to carry their own atoms and bonds.
WITH_ATOMS = (
    "MSE SEP TPO PTR HYP CSO CME CSD OCS CSS CSX MLY M3L MLZ ALY KCX LLP PCA SEC PYL TYS FME NLE ORN AIB "
    "DAL DSN ACE NME NH2 UNK".split()
)


def main() -> None:
    components = get_ccd()["chem_comp"]
    columns = [
        components[key].as_array(str)
        for key in ("id", "type", "mon_nstd_parent_comp_id", "one_letter_code", "name")
    ]
    residues, atoms, bonds = [], [], []
    for name, linking, parent, letter, title in zip(*columns, strict=True):
        if name in STANDARD or name in WITH_ATOMS or is_modified_peptide(linking, parent):
            clean = " ".join(title.replace('"', "").split()).lower()
            residues.append((name, letter if name in STANDARD else "", parent_of(name, parent), clean[:60]))
    for name in STANDARD + WITH_ATOMS:
        component = info.residue(name)
        charges = component.charge if "charge" in component.get_annotation_categories() else [0] * len(component)
        for atom, charge in zip(component, charges, strict=True):
            x, y, z = (f"{value:.3f}" for value in atom.coord)
            atoms.append((name, atom.atom_name, atom.element.capitalize(), int(charge), x, y, z))
        for i, j, order in component.bonds.as_array():
            bonds.append((name, component.atom_name[i], component.atom_name[j], BOND_ORDER[int(order)]))
    units = "# Units: charge is the formal charge [e]; ideal coordinates x, y, z [Å].\n"
    orders = "# order: 1, 2, 3, or ar where the bond is aromatic.\n"
    write("residues.csv", "", "residue,letter,parent,title", sorted(set(residues)))
    write("atoms.csv", units, "residue,atom,element,charge,x,y,z", atoms)
    write("bonds.csv", orders, "residue,a,b,order", bonds)


# biotite's BondType: 1-3 plain, 5 aromatic single, 6 aromatic double.
BOND_ORDER = {1: "1", 2: "2", 3: "3", 5: "ar", 6: "ar", 9: "ar"}


def is_modified_peptide(linking: str, parent: str) -> bool:
    return "peptide linking" in linking.lower() and parent in STANDARD


def parent_of(name: str, parent: str) -> str:
    if name in STANDARD:
        return name
    return {"PYL": "LYS", "SEC": "CYS"}.get(name, parent if parent in STANDARD else "")


def write(file: str, comment: str, header: str, rows: list) -> None:
    with (TABLES / file).open("w", newline="", encoding="utf-8") as sink:
        sink.write(SOURCE + comment)
        writer = csv.writer(sink, lineterminator="\n")
        writer.writerow(header.split(","))
        writer.writerows(rows)


if __name__ == "__main__":
    main()
