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
    from ..forcefield import Conditions
    from .batch import machine, print_result, resumable, stem_of

    machine("cpu", threads)
    if scan:
        _positions(scan)  # what cannot be read is said before anything is computed
    request = _Request(
        source=source,
        directory=out or Path(f"{stem_of(source)}-phase"),
        conditions=Conditions(temperature=temperature, ionic_strength=salt / 1000.0, ph=ph),
        wanted=tuple(mutation or ()),
        listed=mutations,
        scan=scan,
        explain=explain,
        overwrite=overwrite,
        as_json=as_json,
    )
    with resumable():
        print_result(request.run(), as_json)


@dataclass(frozen=True)
class _Request:
    """One request, on one file."""

    source: Path
    directory: Path
    conditions: "Conditions"
    wanted: tuple[str, ...]
    listed: Path | None
    scan: str | None
    explain: bool
    overwrite: bool
    as_json: bool

    def run(self) -> dict[str, Any]:
        """Predict, write, and say."""
        from ..condensate import PhaseSeparation
        from ..condensate.predictor import REFERENCE
        from ..ensemble.checkpoint import drop_parts, own_parts
        from ..ensemble.run_record import RunRecord
        from ..report.literature import write_citations
        from ..report.phase import WORKS, write_phase
        from .batch import claim, digest
        from .console import say
        from .finished import answered, write_summary

        content = digest(self.source)
        record = RunRecord("phase", self._arguments(), 0, "cpu", {self.source.name: content})
        if not self.overwrite and (summary := answered(self.directory, record)):
            return summary
        claim(self.directory, self.overwrite)
        parts = own_parts(self.directory, record.request)
        network = PhaseSeparation.pretrained()
        verdicts = self._verdicts(network, parts)
        write_verdicts(verdicts, self.directory)
        effects = self._effects(network, {one.name: one.sequence for one in verdicts}, parts)
        write_phase(verdicts, self.source.name, self.conditions, len(network.members), self.directory)
        write_citations(self.directory, WORKS)
        summary = {
            "name": self.source.name,
            "out": str(self.directory),
            "reference": REFERENCE,
            "proteins": [row(one) | {"descriptors": one.descriptors} for one in verdicts],
            "mutations": [{"name": name, **vars(one)} for name, one in effects],
        }
        write_summary(self.directory, summary)
        record.save(self.directory / "run.json")
        drop_parts(self.directory)
        if not self.as_json:
            show_verdicts(self.source.name, verdicts)
            if effects:
                show_effects(effects)
            if self.explain:
                show_reasons(verdicts)
        say(f"wrote {self.directory / 'report.html'}")
        return summary

    def _arguments(self) -> dict[str, Any]:
        return {
            "structure": str(self.source),
            "temperature": self.conditions.temperature,
            "salt": 1000.0 * self.conditions.ionic_strength,
            "ph": self.conditions.ph,
            "mutation": list(self.wanted),
            "mutations": str(self.listed) if self.listed else None,
            "scan": self.scan,
        }

    def _verdicts(self, network: "PhaseSeparation", parts: Path) -> "list[Verdict]":
        if self._bare_name().endswith(STRUCTURES):
            from ..ensemble import prepared
            from ..io import read

            return network.predict_structure(prepared(read(self.source)), self.conditions)
        from ..io import read_fasta
        from .console import Meter, note, say

        sequences = read_fasta(self.source)
        for one in sequences[0].notes if sequences else ():
            note(one.kind, one.text)
        found: list[Verdict] = []
        with Meter("proteins") as meter:
            for start in range(0, len(sequences), PART):
                chunk = sequences[start : start + PART]
                path = parts / f"part-{start // PART:05d}.json"
                if path.exists():
                    found += [unpacked(one) for one in json.loads(path.read_text())]
                    continue
                if start and not found:
                    say("going on")
                made = network.predict([one.residues for one in chunk], [one.id for one in chunk], self.conditions)
                keep(path, [packed(one) for one in made])
                found += made
                meter.advance(len(found), len(sequences))
        return found

    def _effects(
        self, network: "PhaseSeparation", sequences: dict[str, str], parts: Path
    ) -> "list[tuple[str, MutationEffect]]":
        from ..condensate import MutationEffect, effects
        from .console import Meter

        found: list[tuple[str, MutationEffect]] = []
        for index, (name, wanted) in enumerate(self._mutations(sequences).items()):
            with Meter(f"mutants of {name}") as meter:
                path = parts / f"mutants-{index:05d}.json"
                if path.exists():
                    made = [MutationEffect(**one) for one in json.loads(path.read_text())]
                else:
                    made = effects(network, sequences[name], wanted, self.conditions, meter.advance)
                    keep(path, [vars(one) for one in made])
            found += [(name, one) for one in made]
        if found:
            write_effects(found, self.directory)
        return found

    def _mutations(self, sequences: dict[str, str]) -> dict[str, list[str]]:
        """What to try on which protein."""
        from ..condensate.mutations import saturation_scan
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
        return found

    def _bare_name(self) -> str:
        return self.source.name.lower().removesuffix(".gz")


def _positions(text: str) -> list[int] | None:
    from ..errors import ConfigError

    if text == "all":
        return None
    first, _, last = text.partition("-")
    if not first.isdigit() or (last and not last.isdigit()):
        raise ConfigError(f"--scan {text}: write a position, 45, a range, 40-60, or all.")
    return list(range(int(first), int(last or first) + 1))
