"""What the stability model is fitted on: measured mutations, what the model sees of them, and their families.

What takes time, packing and weighing both sides of thousands of mutations, is kept in a folder and resumed from
there. Families are single-linkage clusters of local alignments (parasail): 25 % identity over half of the shorter
chain.
"""

import csv
import itertools
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

from motet.ensemble import prepared
from motet.ensemble.ddg.environment import FEATURES, environment, properties
from motet.ensemble.ddg.packed_pairs import AT_ONCE, packed_pairs, physics, tempered, term_changes
from motet.ensemble.ddg.preferences import FAMILY, LETTERS, ResiduePreferences, places_of
from motet.errors import MotetError
from motet.forcefield import Conditions
from motet.io import read
from motet.structure import parse_mutation

SETS = ("S2648", "Ssym_dir", "Ssym_inv", "guerois", "kellogg")
IDENTITY, COVERED, SUSPECT = 0.25, 0.5, 70


@dataclass(frozen=True)
class Examples:
    """Measured mutations with what the model sees of them."""

    rows: list[dict[str, str]]
    measured: np.ndarray
    family: np.ndarray
    terms: np.ndarray
    reference: np.ndarray
    environment: np.ndarray
    rarity: np.ndarray
    baseline: np.ndarray

    def part(self, keep: np.ndarray) -> "Examples":
        rows = [self.rows[number] for number in np.arange(len(self.rows))[keep]]
        arrays = (getattr(self, name)[keep] for name in list(self.__dataclass_fields__)[1:])
        return Examples(rows, *arrays)


def number(text: str, default: float) -> float:
    try:
        return float(text)
    except ValueError:
        return default


def conditions_of(row: dict[str, str]) -> tuple[str, float, float]:
    """PDB entry, pH and °C; pH 7 and 25 °C where the table is silent."""
    return row["pdb"], number(row["pH"], 7.0), number(row["T_C"], 25.0)


def key_of(row: dict[str, str]) -> str:
    """What a row's terms depend on; the sets share many."""
    pdb, ph, celsius = conditions_of(row)
    return f"{pdb} {row['chain']} {row['mutations']} pH {ph:g} {celsius:g} C"


def texts(row: dict[str, str]) -> list[str]:
    return [f"{row['chain']}:{one}" for one in row["mutations"].split(";")]


def structure_of(data: Path, pdb: str):
    structure = prepared(read(data / "pdb" / f"{pdb}.pdb.gz")).model(0)
    return structure.with_coords(structure.coords.float())


def fits(structure, row: dict[str, str]) -> bool:
    try:
        for text in texts(row):
            parse_mutation(text, structure.topology)
    except MotetError as error:
        print(f"left out: {row['dataset']} {row['pdb']} {error}", file=sys.stderr)
        return False
    return True


def term_features(data: Path, name: str, cache: Path) -> dict[int, list[float]]:
    """Change of each term, by row of the table; resumed from the cache."""
    path, field = cache / "terms.jsonl", physics()
    rows = list(csv.DictReader((data / f"{name}.csv").open()))
    lines = path.read_text().splitlines() if path.exists() else []
    done: dict[str, list[float]] = dict(json.loads(line) for line in lines)
    if any(len(changes) != len(field.names) for changes in done.values()):
        raise SystemExit(f"{path} was made with other terms; remove it")
    todo = [row for row in rows if key_of(row) not in done and (data / "pdb" / f"{row['pdb']}.pdb.gz").exists()]
    todo.sort(key=conditions_of)
    for (pdb, ph, celsius), group in itertools.groupby(todo, key=conditions_of):
        structure = structure_of(data, pdb)
        usable = [row for row in group if fits(structure, row)]
        conditions = Conditions(temperature=celsius + 273.15, ph=ph)
        for start in range(0, len(usable), AT_ONCE):
            part = usable[start : start + AT_ONCE]
            with torch.no_grad():
                pairs = packed_pairs(structure, [texts(row) for row in part], field)
                changes = term_changes(pairs, field, conditions)
            new = {key_of(row): change for row, change in zip(part, changes.tolist(), strict=True)}
            done |= new
            with path.open("a") as sink:
                sink.writelines(json.dumps(entry) + "\n" for entry in new.items())
        print(f"{name}: {sum(key_of(row) in done for row in rows)} of {len(rows)}", file=sys.stderr)
    return {i: done[key_of(row)] for i, row in enumerate(rows) if key_of(row) in done}


def site_features(data: Path, name: str, network: ResiduePreferences, found: dict) -> list[list[tuple]]:
    """Of each row: (old type, new type, environment, rarity) of each mutation; empty where it does not fit."""
    answer = []
    for row in csv.DictReader((data / f"{name}.csv").open()):
        pdb = row["pdb"]
        if pdb not in found and (data / "pdb" / f"{pdb}.pdb.gz").exists():
            structure = structure_of(data, pdb)
            places, residues = places_of(structure)
            with torch.no_grad():
                seen, rarity = environment(places)[0].numpy(), network(places)[0, :, FAMILY].numpy()
            found[pdb] = structure, {int(residue): place for place, residue in enumerate(residues)}, seen, rarity
        one = []
        if pdb in found and fits(found[pdb][0], row):
            structure, place, seen, rarity = found[pdb]
            for text in texts(row):
                at = place[parse_mutation(text, structure.topology).residue]
                old, new = LETTERS.index(text.split(":")[1][0]), LETTERS.index(text[-1])
                one.append((old, new, seen[at], rarity[at]))
        answer.append(one)
    return answer


def scaled_properties() -> np.ndarray:
    """Published properties as `types properties`, each of mean 0 and deviation 1."""
    values = torch.stack(list(properties().values()), dim=-1).numpy()
    return (values - values.mean(0)) / values.std(0)


def examples(data: Path, name: str, cache: Path, network, found: dict, family: dict[str, int]) -> Examples:
    rows = [row | {"number": str(i)} for i, row in enumerate(csv.DictReader((data / f"{name}.csv").open()))]
    terms, sites = term_features(data, name, cache), site_features(data, name, network, found)
    use = [i for i in range(len(rows)) if i in terms and sites[i]]
    kinds, known = scaled_properties(), properties()
    reference, around, rarity, baseline = [], [], [], []
    for i in use:
        step, cross, rare = np.zeros(len(LETTERS)), np.zeros((len(FEATURES), kinds.shape[1])), np.zeros(1)
        for old, new, seen, costs in sites[i]:
            step[new] += 1
            step[old] -= 1
            cross += np.outer(seen, kinds[new] - kinds[old])
            rare += costs[new] - costs[old]
        reference.append(step)
        around.append(cross.ravel())
        rarity.append(rare)
        baseline.append(trivial(sites[i], known))
    names = physics().names
    changes = tempered(torch.tensor([terms[i] for i in use]), names).numpy()
    changes = np.delete(changes, names.index("unfolded"), axis=1)
    return Examples(
        [rows[i] for i in use],
        np.array([float(rows[i]["ddg_kcal"]) for i in use]),
        np.array([family[f"{rows[i]['pdb']}_{rows[i]['chain']}"] for i in use]),
        changes,
        np.array(reference),
        np.array(around),
        np.array(rarity),
        np.array(baseline),
    )


def trivial(sites: list[tuple], known: dict) -> np.ndarray:
    """The baseline to beat: residue types, burial counts, changes of volume and hydropathy, and an intercept."""
    row = np.zeros(2 * len(LETTERS) + 6)
    for old, new, seen, _ in sites:
        row[old] += 1
        row[len(LETTERS) + new] += 1
        volume, hydropathy = (
            float(known[name][new] - known[name][old]) for name in ("volume_angstrom3", "hydropathy")
        )
        row[-6:-1] += (seen[0], seen[1], volume / 40, abs(volume) / 40, hydropathy / 3)
    row[-1] = 1.0
    return row


def examples_of(data: Path, names: Sequence[str], cache: Path, preferences: Path) -> dict[str, Examples]:
    """Sets of mutations by name, with the features of a network of residue preferences."""
    cache.mkdir(parents=True, exist_ok=True)
    network, family, found = trained(preferences), families(data, cache), {}
    return {name: examples(data, name, cache, network, found, family) for name in names}


def trained(preferences: Path) -> ResiduePreferences:
    """The network of residue preferences of a file."""
    network = ResiduePreferences()
    network.load_state_dict({name: value.float() for name, value in load_file(preferences).items()})
    return network.eval()


def families(data: Path, cache: Path) -> dict[str, int]:
    """Family of every chain that the tables name."""
    path = cache / "families.json"
    if path.exists():
        return json.loads(path.read_text())
    import parasail

    named = {(row["pdb"], row["chain"]) for name in SETS for row in csv.DictReader((data / f"{name}.csv").open())}
    sequence = {
        f"{pdb}_{chain}": read(data / "pdb" / f"{pdb}.pdb.gz").topology.sequence(chain)
        for pdb, chain in sorted(named)
        if (data / "pdb" / f"{pdb}.pdb.gz").exists()
    }
    unique = sorted(set(sequence.values()))
    root = list(range(len(unique)))

    def leader(i: int) -> int:
        while root[i] != i:
            i = root[i]
        return i

    for i, one in enumerate(unique):
        profile = parasail.profile_create_sat(one, parasail.blosum62)
        for j in range(i):
            if (
                leader(i) == leader(j)
                or parasail.sw_striped_profile_sat(profile, unique[j], 11, 1).score < SUSPECT
            ):
                continue
            found = parasail.sw_stats_striped_sat(one, unique[j], 11, 1, parasail.blosum62)
            enough = found.length >= COVERED * min(len(one), len(unique[j]))
            if enough and found.matches >= IDENTITY * found.length:
                root[leader(i)] = leader(j)
    answer = {name: leader(unique.index(one)) for name, one in sequence.items()}
    path.write_text(json.dumps(answer))
    return answer
