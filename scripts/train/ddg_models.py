"""Models of mutants, from which their mutations are predicted backwards: what another crystal would have said.

A feature that a small move of the backbone changes as much as the mutation does says little about the mutation. So
some mutants of every family of S2648 are built: mutated, packed, shaken by a smooth random field as large as what
parts two crystals of one protein, and relaxed where they are with their backbone free, so that the surroundings
fit the new residue as those of the wild type fit the old one. They become a set of mutations like the others:
FOLDER/models.csv, whose `note` is the row of S2648, and FOLDER/pdb.
"""

import csv
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from ddg_data import Examples, conditions_of, examples, families, fits, structure_of, texts, trained

from motet.ensemble.ddg.packed_pairs import AT_ONCE, packed_pairs, physics
from motet.ensemble.minimise import minimise
from motet.forcefield import ForceField
from motet.io import write
from motet.structure import Structure

NAME = "models"
A_FAMILY = 2  # mutants of one family, drawn by chance
SHAKEN, SMOOTH = 0.25, 5.0  # Å: how far atoms move, and over what distance they move together
HELD = 0.3  # kcal/mol/Å²: springs to where the shaking left each atom
STEPS = 25  # of relaxation


def disagreements(data: Path, cache: Path, preferences: Path, forth: Examples) -> Examples:
    """What S2648's mutations and their ways back on the models add up to: nothing, were both right."""
    folder, family = cache / NAME, families(data, cache)
    build(data, folder, family)
    rows = list(csv.DictReader((folder / f"{NAME}.csv").open()))
    names = {f"{row['pdb']}_{row['chain']}": f"{row['pdb'].split('-')[0]}_{row['chain']}" for row in rows}
    of_model = {name: family[original] for name, original in names.items()}
    back = examples(folder, NAME, cache, trained(preferences), {}, of_model)
    place = {row["number"]: number for number, row in enumerate(forth.rows)}
    forth = forth.part(np.array([place[row["note"]] for row in back.rows]))
    features = ("terms", "reference", "environment", "rarity")
    return replace(back, **{name: getattr(forth, name) + getattr(back, name) for name in features})


def build(data: Path, folder: Path, family: dict[str, int]) -> None:
    """The models of S2648's mutants; those that `folder` has already are left as they are."""
    (folder / "pdb").mkdir(parents=True, exist_ok=True)
    table = folder / f"{NAME}.csv"
    rows = list(csv.DictReader((data / "S2648.csv").open()))
    done = {int(row["note"]) for row in csv.DictReader(table.open())} if table.exists() else set()
    chosen = [number for number in drawn(rows, family) if number not in done]
    by_entry: dict[str, list[int]] = {}
    for number in chosen:
        by_entry.setdefault(rows[number]["pdb"], []).append(number)
    for pdb, numbers in by_entry.items():
        structure = structure_of(data, pdb)
        numbers = [number for number in numbers if fits(structure, rows[number])]
        for start in range(0, len(numbers), AT_ONCE):
            part = numbers[start : start + AT_ONCE]
            built = modelled(structure, [texts(rows[number]) for number in part], seed=part[0])
            for number, model in zip(part, built, strict=True):
                write(model, folder / "pdb" / f"{pdb}-{number}.pdb.gz", overwrite=True)
            append(table, [way_back(rows[number], number) for number in part])


def drawn(rows: list[dict[str, str]], family: dict[str, int]) -> list[int]:
    """Some rows of every family, by chance but always the same."""
    taken, chosen = Counter(), []
    for number in np.random.default_rng(0).permutation(len(rows)).tolist():
        name = f"{rows[number]['pdb']}_{rows[number]['chain']}"
        if name in family and taken[family[name]] < A_FAMILY:
            taken[family[name]] += 1
            chosen.append(number)
    return sorted(chosen)


def modelled(structure: Structure, mutants: list[list[str]], seed: int) -> list[Structure]:
    """Each mutant, its surroundings packed, shaken and relaxed in one call."""
    with torch.no_grad():
        parts = [pair.mutant for pair in packed_pairs(structure, mutants, physics())]
    random = torch.Generator().manual_seed(seed)
    start = torch.cat([shaken(part, random) for part in parts])
    system = ForceField().bind(parts)

    def held(coords: torch.Tensor) -> torch.Tensor:
        return system(coords).sum(-1) + 0.5 * HELD * (coords - start).square().sum((-1, -2))

    relaxed = minimise(held, start, max_steps=STEPS, tolerance=0.3).coords
    pieces = relaxed.split([part.n_atoms for part in parts])
    return [
        replaced(structure.mutated(*mutations), part, piece)
        for mutations, part, piece in zip(mutants, parts, pieces, strict=True)
    ]


def shaken(part: Structure, random: torch.Generator) -> torch.Tensor:
    """Coordinates of a part after each residue was moved, near ones alike."""
    residue = torch.tensor(part.topology.residue_of_atom)
    middle = torch.zeros(part.n_residues, 3).index_reduce(0, residue, part.coords, "mean", include_self=False)
    alike = (-torch.cdist(middle, middle).square() / (2 * SMOOTH**2)).exp() + 1e-3 * torch.eye(len(middle))
    moves = torch.linalg.cholesky(alike) @ torch.randn(len(middle), 3, generator=random)
    return part.coords + SHAKEN / 3**0.5 * moves[residue]


def replaced(whole: Structure, part: Structure, coords: torch.Tensor) -> Structure:
    """The whole structure with a part of it where it lies now."""
    place = {name: number for number, name in enumerate(names_of(whole))}
    here, there = zip(
        *((place[name], number) for number, name in enumerate(names_of(part)) if name in place), strict=True
    )
    return whole.with_coords(whole.coords.index_copy(0, torch.tensor(here), coords[list(there)]))


def names_of(structure: Structure) -> list[tuple[str, int, str, str]]:
    topology = structure.topology
    residue = topology.residue_of_atom
    chain = topology.chain_ids[topology.chain_of_residue[residue]].tolist()
    number, code = topology.residue_numbers[residue].tolist(), topology.insertion_codes[residue].tolist()
    return list(zip(chain, number, code, topology.atom_names.tolist(), strict=True))


def way_back(row: dict[str, str], number: int) -> dict[str, str]:
    """The row of the opposite mutation, measured on the model."""
    back = ";".join(one[-1] + one[1:-1] + one[0] for one in row["mutations"].split(";"))
    measured = f"{-float(row['ddg_kcal']):g}"
    changed = {"dataset": NAME, "mutations": back, "ddg_kcal": measured, "note": str(number)}
    return row | changed | {"pdb": f"{conditions_of(row)[0]}-{number}"}


def append(table: Path, rows: list[dict[str, str]]) -> None:
    fresh = not table.exists()
    with table.open("a", newline="") as sink:
        writer = csv.DictWriter(sink, list(rows[0]), lineterminator="\n")
        if fresh:
            writer.writeheader()
        writer.writerows(rows)
