"""`motet fold`: from an alignment to a structure, or to an ensemble of them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import AsJson, DeviceName, Out, Overwrite, Seed, Temperature

if TYPE_CHECKING:
    from ..ensemble.folding import Folder, Hypotheses, Member, Probing
    from ..ensemble.run_record import RunRecord
    from ..io import Alignment

    Finish = Callable[[RunRecord], None]

STANDARD = "depth,clusters,tokens,columns,dropout,seeds"


def fold(
    target: Annotated[
        Path, typer.Argument(help="Alignment (A3M) or sequence (FASTA); - reads stdin.", show_default=False)
    ],
    out: Out = None,
    model: Annotated[str, typer.Option("--model", help="Weights to use; `motet weights list`.")] = "model_3_ptm",
    recycles: Annotated[int, typer.Option("--recycles", help="Passes after the first.", min=0)] = 3,
    max_msa: Annotated[
        str, typer.Option("--max-msa", help="Rows that are read: cluster centres and further ones.")
    ] = "512:1024",
    templates: Annotated[
        list[Path] | None,
        typer.Option("--templates", help="Structure of a homologue, for model_1 and model_2; up to four times."),
    ] = None,
    ensemble: Annotated[bool, typer.Option("--ensemble", help="Make an ensemble of perturbed views.")] = False,
    count: Annotated[int, typer.Option("-n", "--count", help="Members of each perturbation.", min=1)] = 8,
    perturb: Annotated[
        str,
        typer.Option("--perturb", help="Perturbations: those of the default, and temperature and leaders."),
    ] = STANDARD,
    nulls: Annotated[
        int, typer.Option("--nulls", help="Shuffled alignments that row clusters must beat.", min=0)
    ] = 4,
    relax: Annotated[int, typer.Option("--relax", help="Steps by which each member is relaxed.", min=0)] = 60,
    temperature: Temperature = 300.0,
    bf16: Annotated[bool, typer.Option("--bf16", help="Trunk in bfloat16: faster, pLDDT within a point.")] = False,
    seed: Seed = 0,
    device: DeviceName = "auto",
    threads: Annotated[
        int, typer.Option("--threads", help="Processor threads; at most as many as cores are idle.", min=1)
    ] = 1,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Fold a protein with AlphaFold2, once, or as an ensemble of many views of its alignment.

    The weights are DeepMind's and must be there: see `motet weights`. Once, it writes model.pdb (pLDDT in the
    B-factor column), pae.json, residues.csv and report.html. With --ensemble each perturbation shows the network
    another view; members are relaxed, fall into states, and are weighed only where that can be trusted. Choices of
    rows are always run beside as many random rows. Stop it at any moment: the same command goes on.

    Example: motet fold target.a3m --ensemble -o target-fold
    """
    from .batch import machine, print_result, resumable

    arguments = {
        "structure": str(target),
        "model": model,
        "recycles": recycles,
        "max_msa": max_msa,
        "templates": [str(one) for one in templates or ()],
        "bf16": bf16,
        "threads": threads,
    }
    if ensemble:
        arguments |= {"ensemble": True, "count": count, "perturb": perturb, "nulls": nulls, "relax": relax}
        arguments |= {"temperature": temperature}
    job = _Job(arguments, seed, machine(device, threads), overwrite, as_json)
    with resumable():
        print_result(job.run(target, out or Path(f"{_name(target)}-fold")), as_json)


@dataclass(frozen=True)
class _Job:
    """One request."""

    arguments: dict[str, Any]
    seed: int
    device: str
    overwrite: bool
    as_json: bool

    def run(self, path: Path, directory: Path) -> dict[str, Any]:
        """Fold one target and write everything."""
        from ..ensemble.run_record import RunRecord
        from ..errors import FormatError
        from .alignments import read_target
        from .batch import STDIN, claim, digest
        from .clock import Clock
        from .finished import answered, write_summary
        from .loading import print_notes

        if path != STDIN and not path.exists():
            raise FormatError(path, "no such file", "check the name")
        inputs = {path.name: digest(path)} | {Path(one).name: digest(Path(one)) for one in self._templates}
        record = RunRecord("fold", self.arguments, self.seed, self.device, inputs)
        if not self.overwrite and (summary := answered(directory, record)):
            return summary
        alignment = read_target(path)
        folder = self._folder(alignment)
        claim(directory, self.overwrite)
        print_notes(alignment.notes)
        record = replace(record, notes=tuple((one.kind, one.text) for one in alignment.notes))
        work = self._many if self.arguments.get("ensemble") else self._one
        clock = Clock()
        summary, finish = work(folder, _name(path), directory, inputs)
        write_summary(directory, summary)
        clock.lap("total")
        finish(replace(record, timings=clock.laps))
        return summary

    @property
    def _templates(self) -> list[str]:
        return self.arguments["templates"]

    def _folder(self, alignment: "Alignment") -> "Folder":
        """The network with its weights, and what it reads."""
        from ..ensemble.folding import Folder
        from ..errors import ConfigError
        from ..fold import store
        from ..fold.template_files import templates_of
        from ..io import read

        network = store.load(self.arguments["model"])
        if self._templates and network.config.templates is None:
            raise ConfigError(f"{self.arguments['model']} reads no templates; use model_1_ptm or model_2_ptm.")
        laid = templates_of([read(one) for one in self._templates], alignment.query) if self._templates else None
        network = (network.half() if self.arguments["bf16"] else network).to(self.device)
        return Folder(network, alignment, laid, device=self.device)

    def _one(
        self, folder: "Folder", name: str, directory: Path, _inputs: object
    ) -> "tuple[dict[str, Any], Finish]":
        """One prediction, written."""
        from ..ensemble.folding import Member
        from .alignments import rows_to_read
        from .console import say
        from .fold_results import show_prediction, write_prediction

        clusters, extra = rows_to_read(self.arguments["max_msa"])
        recycles = self.arguments["recycles"]
        seen = Member(
            perturbation="none", note="", seed=self.seed, clusters=clusters, extra=extra, recycles=recycles
        )
        found = folder.fold(seen)
        directory.mkdir(parents=True, exist_ok=True)
        summary = show_prediction(found, folder.alignment, name, directory, quiet=self.as_json)

        def finish(record: "RunRecord") -> None:
            write_prediction(found, folder.alignment, name, record, directory)
            say(f"wrote {directory / 'report.html'}")

        return summary, finish

    def _many(
        self, folder: "Folder", name: str, directory: Path, inputs: dict[str, str]
    ) -> "tuple[dict[str, Any], Finish]":
        """An ensemble, written."""
        from .. import __version__
        from ..ensemble import Checkpoint
        from ..ensemble.folding import ensemble_of, fold_members
        from ..forcefield import ForceField
        from .console import Meter, say
        from .fold_results import show_ensemble, write_ensemble

        settings = {key: value for key, value in self.arguments.items() if key != "structure"}
        checkpoint = Checkpoint(
            directory, settings | inputs | {"version": __version__, "seed": self.seed, "device": self.device}
        )
        if done := checkpoint.open():
            say(f"going on after {done} members")
        say("watching the network: row clusters, and what null models make of them")
        members, probing, hypotheses = self._members(folder)
        say(f"{len(members)} members, {sum(one.control for one in members)} of them random controls")
        with Meter("folding") as meter:
            sampled = fold_members(folder, members, checkpoint, meter.advance)
        field = ForceField().to(self.device)
        temperature = self.arguments["temperature"]
        made = ensemble_of(
            folder,
            members,
            sampled,
            lambda structure: field.bind(structure.to(self.device), temperature=temperature),
            name=name,
            temperature=temperature,
            relax_steps=self.arguments["relax"],
            seed=self.seed,
        )
        summary = show_ensemble(made, hypotheses, directory, quiet=self.as_json)

        def finish(record: "RunRecord") -> None:
            write_ensemble(made, probing, hypotheses, record, directory)
            checkpoint.close()
            say(f"wrote {directory / 'report.html'} and {directory / 'folding.html'}")

        return summary, finish

    def _members(self, folder: "Folder") -> "tuple[tuple[Member, ...], Probing, Hypotheses]":
        """Everything that the network is to be shown."""
        from ..ensemble.folding import View, find_hypotheses, matched, named, probe
        from ..fold.alignment import numbered
        from .alignments import rows_to_read

        asked = named(self.arguments["perturb"].split(","))
        clusters, extra = rows_to_read(self.arguments["max_msa"])
        probing = probe(folder, seed=self.seed)
        hypotheses = find_hypotheses(folder, shuffles=self.arguments["nulls"], seed=self.seed)
        rows = numbered(folder.alignment)
        view = View(rows, clusters, extra, self.arguments["recycles"], self.seed, hypotheses, probing.leaders)
        members: list[Member] = []
        for one in asked.values():
            members += one.members(view, self.arguments["count"])
        return (*members, *matched(members)), probing, hypotheses


def _name(path: Path) -> str:
    """A name for results: `target` of `target.a3m.gz`."""
    from .batch import stem_of

    return stem_of(path).removesuffix(".a3m").removesuffix(".fasta").removesuffix(".fa") or "target"
