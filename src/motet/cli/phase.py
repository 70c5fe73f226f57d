"""`motet phase`: does a protein drive phase separation, which of its residues do, and what a mutation changes."""

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import Acidity, AsJson, Out, Overwrite, Salt, Temperature, Threads
from .phase_tables import (
    keep,
    packed,
    row,
    show_effects,
    show_reasons,
    show_verdicts,
    unpacked,
    write_effects,
    write_verdicts,
)

if TYPE_CHECKING:
    from ..condensate import MutationEffect, PhaseSeparation, Verdict
    from ..forcefield import Conditions
    from ..structure import Structure
    from .run import Run

PART = 500  # sequences between two points from which a run can go on
STRUCTURES = (".pdb", ".ent", ".cif", ".mmcif")


def phase(
    source: Annotated[Path, typer.Argument(help="FASTA, or PDB or mmCIF file; .gz too.", show_default=False)],
    out: Out = None,
    mutation: Annotated[
        list[str] | None, typer.Option("--mutation", "-m", help="Mutation such as Y45S; join several with ;.")
    ] = None,
    mutations: Annotated[
        Path | None,
        typer.Option("--mutations", help="CSV of mutations: columns name, mutation."),
    ] = None,
    scan: Annotated[str | None, typer.Option("--scan", help="Try all mutations at 45, 40-60, or all.")] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Say which residues and energies decide.")] = False,
    temperature: Temperature = 298.15,
    salt: Salt = 150.0,
    ph: Acidity = 7.0,
    threads: Threads = 1,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Probability that proteins drive phase separation, with profiles, saturation concentration and decomposition.

    Thousands of sequences are taken in parts: stop at any moment, and the same command goes on. Scores never
    depend on what else is in the file. The saturation concentration is a mean-field estimate: trust its order.

    Writes phase.csv, profiles.csv, report.html, run.json, cite.bib; with mutations, mutations.csv.

    Example: motet phase proteins.fasta --salt 150 -o phases
    """
    from .batch import digests, machine, stem_of
    from .loading import conditions_of
    from .run import Request

    if scan:
        _positions(scan)  # what cannot be read is said before anything is computed
    job = _Job(source, conditions_of(temperature, salt, ph), tuple(mutation or ()), mutations, scan, explain)
    request = Request(
        command="phase",
        arguments={
            "structure": str(source),
            "temperature": temperature,
            "salt": salt,
            "ph": ph,
            "mutation": mutation or [],
            "mutations": mutations and mutations.name,
            "scan": scan,
        },
        device=machine("cpu", threads),
        overwrite=overwrite,
        as_json=as_json,
    )
    inputs = digests(source, *((mutations,) if mutations else ()))
    request.once(inputs, out or Path(f"{stem_of(source)}-phase"), job.run)


@dataclass(frozen=True)
class _Job:
    """What is asked of the proteins of one file."""

    source: Path
    conditions: "Conditions"
    wanted: tuple[str, ...]
    listed: Path | None
    scan: str | None
    explain: bool

    def run(self, run: "Run") -> dict[str, Any]:
        """Predict, write, and say."""
        from ..condensate import PhaseSeparation
        from ..condensate.predictor import REFERENCE
        from ..report.literature import write_citations
        from ..report.phase import WORKS, write_phase
        from .console import say

        structure, sequences = self._read(run)
        asked = self._mutations(dict(sequences))  # what cannot be done is said before anything is computed
        parts = run.parts()
        network = PhaseSeparation.pretrained()
        if structure is None:
            verdicts = self._verdicts(network, sequences, parts)
        else:
            verdicts = network.predict_structure(structure, self.conditions)
        effects = self._effects(network, dict(sequences), asked, parts)
        write_verdicts(verdicts, run.directory)
        if effects:
            write_effects(effects, run.directory)
        write_phase(verdicts, self.source.name, self.conditions, len(network.members), run.directory)
        write_citations(run.directory, WORKS)
        if not run.quiet:
            show_verdicts(self.source.name, verdicts)
            if effects:
                show_effects(effects)
            if self.explain:
                show_reasons(verdicts)
        say(f"wrote {run.directory / 'report.html'}")
        return {
            "name": self.source.name,
            "out": str(run.directory),
            "reference": REFERENCE,
            "proteins": [row(one) | {"descriptors": one.descriptors} for one in verdicts],
            "mutations": [{"name": name, **vars(one)} for name, one in effects],
        }

    def _read(self, run: "Run") -> "tuple[Structure | None, list[tuple[str, str]]]":
        """The structure, where the file holds one, and its proteins by name and sequence."""
        from ..condensate.structures import chains_of
        from ..io import read_fasta
        from .console import note
        from .loading import load_prepared

        if self.source.name.lower().removesuffix(".gz").endswith(STRUCTURES):
            structure = load_prepared(self.source, run.record.device)
            run.note(structure.notes)
            return structure, [(chain.name, chain.sequence) for chain in chains_of(structure)]
        found = read_fasta(self.source)
        notes = found[0].notes if found else ()
        for one in notes:
            note(one.kind, one.text)
        run.note(notes)
        return None, [(one.id, one.residues) for one in found]

    def _verdicts(
        self, network: "PhaseSeparation", sequences: list[tuple[str, str]], parts: Path
    ) -> "list[Verdict]":
        from .console import Meter, say

        found: list[Verdict] = []
        kept = 0
        with Meter("proteins") as meter:
            for start in range(0, len(sequences), PART):
                path = parts / f"part-{start // PART:05d}.json"
                if path.exists():
                    found += [unpacked(one) for one in json.loads(path.read_text())]
                    kept = len(found)
                    continue
                if kept and kept == len(found):
                    say(f"going on after {kept} of {len(sequences)} proteins")
                names, residues = zip(*sequences[start : start + PART], strict=True)
                made = network.predict(residues, names, self.conditions)
                keep(path, [packed(one) for one in made])
                found += made
                meter.advance(len(found), len(sequences))
        return found

    def _effects(
        self, network: "PhaseSeparation", sequences: dict[str, str], asked: dict[str, list[str]], parts: Path
    ) -> "list[tuple[str, MutationEffect]]":
        from ..condensate import MutationEffect, effects
        from .console import Meter

        found: list[tuple[str, MutationEffect]] = []
        for index, (name, wanted) in enumerate(asked.items()):
            with Meter(f"mutants of {name}") as meter:
                path = parts / f"mutants-{index:05d}.json"
                if path.exists():
                    made = [MutationEffect(**one) for one in json.loads(path.read_text())]
                else:
                    made = effects(network, sequences[name], wanted, self.conditions, meter.advance)
                    keep(path, [vars(one) for one in made])
            found += [(name, one) for one in made]
        return found

    def _mutations(self, sequences: dict[str, str]) -> dict[str, list[str]]:
        """What to try on which protein; every mutation fits its sequence."""
        from ..condensate.mutations import mutated_sequence, saturation_scan
        from ..errors import ConfigError

        found: dict[str, list[str]] = {}
        if (self.wanted or self.scan) and len(sequences) != 1:
            raise ConfigError("--mutation and --scan are for one protein; with several, use --mutations.")
        for name in sequences:
            if self.wanted:
                found.setdefault(name, []).extend(self.wanted)
            if self.scan:
                found.setdefault(name, []).extend(saturation_scan(sequences[name], _positions(self.scan)))
        if self.listed:
            with self.listed.open(newline="") as source:
                for row in csv.DictReader(source):
                    if "mutation" not in row:
                        raise ConfigError(f"{self.listed}: has no column `mutation`.")
                    name = row.get("name") or next(iter(sequences))
                    if name not in sequences:
                        raise ConfigError(f"{self.listed}: names {name}, which {self.source} does not hold.")
                    found.setdefault(name, []).append(row["mutation"])
        for name, mutations in found.items():
            for mutation in mutations:
                mutated_sequence(sequences[name], mutation)
        return found


def _positions(text: str) -> list[int] | None:
    from ..errors import ConfigError

    if text == "all":
        return None
    first, _, last = text.partition("-")
    if not first.isdigit() or (last and not last.isdigit()):
        raise ConfigError(f"--scan {text}: write a position, 45, a range, 40-60, or all.")
    return list(range(int(first), int(last or first) + 1))
