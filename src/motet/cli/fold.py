"""`motet fold`: from an alignment to a structure, or to an ensemble of them."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import AsJson, DeviceName, Out, Overwrite, Seed, Temperature

if TYPE_CHECKING:
    from ..ensemble.folding import Folder, Hypotheses, Member, Probing
    from ..ensemble.run_record import RunRecord
    from ..io import Alignment
    from .run import Run

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
    from .batch import digests, machine
    from .run import Request

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
    request = Request(
        command="fold",
        arguments=arguments,
        seed=seed,
        device=machine(device, threads),
        overwrite=overwrite,
        as_json=as_json,
    )
    name = _name(target)

    def work(run: "Run") -> dict[str, Any]:
        from .alignments import read_target
        from .loading import print_notes

        alignment = read_target(target)
        folder = _folder(alignment, run.record)
        print_notes(alignment.notes)
        run.note(alignment.notes)
        return _many(folder, name, run) if ensemble else _one(folder, name, run)

    request.once(digests(target, *(templates or ())), out or Path(f"{name}-fold"), work)


def _folder(alignment: "Alignment", record: "RunRecord") -> "Folder":
    """The network with its weights, and what it reads."""
    from ..ensemble.folding import Folder
    from ..errors import ConfigError
    from ..fold import store
    from ..fold.template_files import templates_of
    from ..io import read

    model, templates = record.arguments["model"], record.arguments["templates"]
    network = store.load(model)
    if templates and network.config.templates is None:
        raise ConfigError(f"{model} reads no templates; use model_1_ptm or model_2_ptm.")
    laid = templates_of([read(one) for one in templates], alignment.query) if templates else None
    network = (network.half() if record.arguments["bf16"] else network).to(record.device)
    return Folder(network, alignment, laid, device=record.device)


def _one(folder: "Folder", name: str, run: "Run") -> dict[str, Any]:
    """One prediction, written."""
    from ..ensemble.folding import Member
    from .alignments import rows_to_read
    from .console import say
    from .fold_results import show_prediction, write_prediction

    asked = run.record.arguments
    clusters, extra = rows_to_read(asked["max_msa"])
    seen = Member(
        perturbation="none",
        note="",
        seed=run.record.seed,
        clusters=clusters,
        extra=extra,
        recycles=asked["recycles"],
    )
    found = folder.fold(seen)
    run.lap("total")
    run.directory.mkdir(parents=True, exist_ok=True)
    summary = show_prediction(found, folder.alignment, name, run.directory, quiet=run.quiet)
    write_prediction(found, folder.alignment, name, run.record, run.directory)
    say(f"wrote {run.directory / 'report.html'}")
    return summary


def _many(folder: "Folder", name: str, run: "Run") -> dict[str, Any]:
    """An ensemble, written."""
    from ..ensemble.folding import ensemble_of, fold_members
    from ..forcefield import ForceField
    from .console import Meter, say
    from .fold_results import show_ensemble, write_ensemble

    asked, seed, device = run.record.arguments, run.record.seed, run.record.device
    checkpoint = run.checkpoint()
    if done := checkpoint.open():
        say(f"going on after {done} members")
    say("watching the network: row clusters, and what null models make of them")
    members, probing, hypotheses = _members(folder, asked, seed)
    say(f"{len(members)} members, {sum(one.control for one in members)} of them random controls")
    with Meter("folding") as meter:
        sampled = fold_members(folder, members, checkpoint, meter.advance)
    field = ForceField().to(device)
    made = ensemble_of(
        folder,
        members,
        sampled,
        lambda structure: field.bind(structure.to(device), temperature=asked["temperature"]),
        name=name,
        temperature=asked["temperature"],
        relax_steps=asked["relax"],
        seed=seed,
    )
    run.lap("total")
    summary = show_ensemble(made, hypotheses, run.directory, quiet=run.quiet)
    write_ensemble(made, probing, hypotheses, run.record, run.directory)
    say(f"wrote {run.directory / 'report.html'} and {run.directory / 'folding.html'}")
    return summary


def _members(
    folder: "Folder", asked: Mapping[str, Any], seed: int
) -> "tuple[tuple[Member, ...], Probing, Hypotheses]":
    """Everything that the network is to be shown."""
    from ..ensemble.folding import View, find_hypotheses, matched, named, probe
    from ..fold.alignment import numbered
    from .alignments import rows_to_read

    perturbations = named(asked["perturb"].split(","))
    clusters, extra = rows_to_read(asked["max_msa"])
    probing = probe(folder, seed=seed)
    hypotheses = find_hypotheses(folder, shuffles=asked["nulls"], seed=seed)
    rows = numbered(folder.alignment)
    view = View(rows, clusters, extra, asked["recycles"], seed, hypotheses, probing.leaders)
    members: list[Member] = []
    for one in perturbations.values():
        members += one.members(view, asked["count"])
    return (*members, *matched(members)), probing, hypotheses


def _name(path: Path) -> str:
    """A name for results: `target` of `target.a3m.gz`."""
    from .batch import stem_of

    return stem_of(path).removesuffix(".a3m").removesuffix(".fasta").removesuffix(".fa") or "target"
