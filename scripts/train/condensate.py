"""Train the phase-separation network, and say how good it is on proteins it has not seen.

`python scripts/train/condensate.py ../shared/data/condensate WORK` goes on where it stopped; every stage leaves a
file in WORK. Stages: disorder heads, one a fold; the saturation concentration; the direction of mutations; then
for each fold and seed the network, on the other four folds, for a fixed number of epochs (nothing is chosen on the
held-out fold). It ends with the held-out predictions, of which benchmarks/science/condensate.py makes figures;
with --ship also with the weights, calibrated on those.
"""

import argparse
import csv
import json
import math
import random
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from condensate_data import (
    FOLDS,
    Protein,
    Region,
    balance,
    chunks,
    gathered,
    known_views,
    read_proteins,
    read_regions,
)
from condensate_direction import fitted_direction
from condensate_shipping import own_state, ship
from safetensors.torch import load_file, save_file
from scipy.stats import rankdata
from sklearn.metrics import roc_auc_score
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

from motet.condensate import CondensateNetwork, PairTables, PhysicalLayer, Settings, encode
from motet.condensate.disorder import Disorder
from motet.forcefield import Conditions

CROP, DISORDER_BATCH, DISORDER_EPOCHS = 384, 16, 6
EPOCHS, RATE, DECAY = 12, 2e-3, 0.05
SPREAD = {  # how far each number of the saturation model may reasonably lie from its start
    "log_scale": 1.5,
    "neutral": 0.2,
    "_log_gain": 0.7,
    "_log_excluded": 0.4,
    "_log_charge": 0.5,
    "_log_most_charge": 0.5,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--ablation", choices=("none", "no-physics", "physics-only", "shuffled"), default="none")
    parser.add_argument("--ship", type=Path, help="where to write the weights, their card and the calibration")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    arguments.work.mkdir(parents=True, exist_ok=True)
    proteins = read_proteins(arguments.data)
    regions = read_regions(arguments.data, proteins)
    disorder = [trained_disorder(proteins, fold, arguments.work) for fold in range(FOLDS)]
    physics = fitted_physics(arguments.data, disorder[0], arguments.work)
    direction = fitted_direction(arguments.data, physics, disorder, arguments.work)
    with torch.no_grad():
        tables = physics.tables(Conditions())
    if arguments.ablation == "shuffled":
        tables = shuffled(tables)
    settings = Settings(physics=arguments.ablation != "no-physics", learned=arguments.ablation != "physics-only")
    kind = arguments.work / arguments.ablation
    kind.mkdir(exist_ok=True)
    seen_by = "shuffled" if arguments.ablation == "shuffled" else "true"
    logits = np.zeros((arguments.seeds, len(proteins), 2))
    profiles: dict[int, list[np.ndarray]] = {}
    members = []
    for seed in range(arguments.seeds):
        for fold in range(FOLDS):
            views = known_views(
                proteins, disorder[fold], physics, tables, arguments.work / f"views-{seen_by}-{fold}.pt"
            )
            seen = known_views(
                regions, disorder[fold], physics, tables, arguments.work / f"region-views-{seen_by}-{fold}.pt"
            )
            member = CondensateNetwork(settings, physics)
            member.disorder.load_state_dict(disorder[fold].state_dict())
            path = kind / f"member-{fold}-{seed}.safetensors"
            if path.exists():
                member.load_state_dict(load_file(path), strict=False)
            else:
                train(member, proteins, regions, (views, seen), tables, fold, seed, arguments.epochs)
                save_file(own_state(member), path)
            members.append(member.eval())
            for index, found in evaluate(member, proteins, views, tables, fold):
                logits[seed, index] = found
            for index, found in profile(member, regions, seen, tables, fold):
                profiles.setdefault(index, []).append(found)
    mean = logits.mean(0)
    write_held_out(proteins, mean, region_quality(regions, profiles), kind)
    if arguments.ship:
        ship(arguments.ship, (physics, direction), members, proteins, mean, arguments)


def trained_disorder(proteins: list[Protein], fold: int, work: Path) -> Disorder:
    path = work / f"disorder-{fold}.safetensors"
    torch.manual_seed(fold)
    head = Disorder()
    if path.exists():
        head.load_state_dict(load_file(path))
        return head.eval()
    chosen = [one for one in proteins if one.fold != fold]
    draw = random.Random(fold)
    steps = DISORDER_EPOCHS * len(chosen) // DISORDER_BATCH
    optimiser = torch.optim.AdamW(head.parameters(), weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, total_steps=steps)
    for _ in range(steps):
        batch, target = cropped(draw.choices(chosen, k=DISORDER_BATCH), draw)
        loss = cross_entropy(head(batch), target, reduction="none")[batch.present].mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    save_file(head.state_dict(), path)
    print(
        f"disorder head {fold}: {disorder_auroc(head.eval(), [one for one in proteins if one.fold == fold]):.3f}"
    )
    return head


def cropped(chosen: list[Protein], draw: random.Random):
    starts = [draw.randrange(max(1, len(one.sequence) - CROP + 1)) for one in chosen]
    batch = encode([one.sequence[start : start + CROP] for one, start in zip(chosen, starts, strict=True)])
    target = torch.zeros(batch.types.shape)
    for row, (one, start) in enumerate(zip(chosen, starts, strict=True)):
        inside = one.disordered[start : start + CROP]
        target[row, : len(inside)] = torch.from_numpy(inside)
    return batch, target


@torch.no_grad()
def disorder_auroc(head: Disorder, proteins: list[Protein]) -> float:
    scores = [head(encode([one.sequence]))[0].numpy() for one in proteins]
    return float(roc_auc_score(np.concatenate([one.disordered for one in proteins]), np.concatenate(scores)))


def fitted_physics(data: Path, head: Disorder, work: Path) -> PhysicalLayer:
    """The physical layer with its saturation model fitted; leave-one-family-out figures on the way."""
    physics = PhysicalLayer()
    path = work / "saturation.safetensors"
    if path.exists():
        physics.saturation.load_state_dict(load_file(path))
        return physics
    with (data / "csat_experimental.csv").open() as source:
        rows = list(csv.DictReader(source))
    target = torch.tensor([math.log(float(row["csat_uM"])) for row in rows])
    inputs = saturation_inputs(physics, head, rows)
    held_out = torch.zeros_like(target)
    families = np.array([row["cluster"] for row in rows])
    for family in sorted(set(families)):
        fresh = PhysicalLayer()
        fit_saturation(fresh, inputs, target, torch.from_numpy(families != family))
        with torch.no_grad():
            predicted = predict_saturation(fresh, inputs)
        held_out = torch.where(torch.from_numpy(families == family), predicted, held_out)
    fit_saturation(physics, inputs, target, torch.ones(len(rows), dtype=torch.bool))
    fitted = predict_saturation(physics, inputs).detach()
    figures = {
        "rows": len(rows),
        "spearman_held_out": rank_correlation(held_out, target),
        "rmse_ln_held_out": float((held_out - target).square().mean().sqrt()),
        "spearman_fitted": rank_correlation(fitted, target),
        "rmse_ln_fitted": float((fitted - target).square().mean().sqrt()),
    }
    with (work / "csat.csv").open("w", newline="") as sink:
        writer = csv.writer(sink, lineterminator="\n")
        writer.writerow(["id", "cluster", "measured_uM", "held_out_uM"])
        for row, value in zip(rows, held_out.exp().tolist(), strict=True):
            writer.writerow([row["id"], row["cluster"], row["csat_uM"], f"{value:.3g}"])
    (work / "csat.json").write_text(json.dumps(figures, indent=2) + "\n")
    print("saturation", figures)
    save_file(physics.saturation.state_dict(), path)
    return physics


def rank_correlation(first: Tensor, second: Tensor) -> float:
    return float(np.corrcoef(rankdata(first), rankdata(second))[0, 1])


@torch.no_grad()
def saturation_inputs(physics: PhysicalLayer, head: Disorder, rows: list[dict[str, str]]):
    """Virial tables, composition of the disordered part and its size, of each row."""
    found = []
    for row in rows:
        conditions = Conditions(
            temperature=float(row["temp_K"]), ionic_strength=float(row["ionic_M"]), ph=float(row["pH"] or 7.0)
        )
        batch = encode([row["sequence"]])
        available = head(batch).sigmoid()
        weighted = (batch.one_hot() * available[..., None]).sum(1)
        found.append(
            (physics.coarse.virial(conditions), weighted / weighted.sum(-1, keepdim=True), available.sum(-1))
        )
    return found


def predict_saturation(physics: PhysicalLayer, inputs) -> Tensor:
    """ln c_sat of each row, in one batch: rows share the solver, not the tables."""
    model = physics.saturation
    chi = torch.cat([model.interaction(virial, share) for virial, share, _ in inputs])
    return model.at_interaction(chi, torch.cat([size for *_, size in inputs]))


def fit_saturation(physics: PhysicalLayer, inputs, target: Tensor, chosen: Tensor) -> None:
    model = physics.saturation
    start = {name: value.detach().clone() for name, value in model.named_parameters()}
    rows = [one for one, keep in zip(inputs, chosen.tolist(), strict=True) if keep]
    optimiser = torch.optim.Adam(model.parameters(), lr=0.05)
    for _ in range(100):
        error = predict_saturation(physics, rows) - target[chosen]
        pull = sum(((value - start[name]) / SPREAD[name]).square() for name, value in model.named_parameters())
        loss = torch.nn.functional.huber_loss(error, torch.zeros_like(error), reduction="sum") + pull
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()


def shuffled(tables: PairTables) -> PairTables:
    """The control: energies of other residues, so that everything but their meaning stays."""
    order = torch.randperm(20, generator=torch.Generator().manual_seed(7))
    virial = type(tables.virial)(*(part[order][:, order] for part in tables.virial))
    return replace(
        tables, virial=virial, charges=tables.charges[order], contact=tables.contact[:, order][:, :, order]
    )


def train(member, proteins, regions, known, tables, fold: int, seed: int, epochs: int) -> None:
    views, seen = known
    torch.manual_seed(1000 * seed + fold)
    draw = random.Random(1000 * seed + fold)
    fresh = CondensateNetwork(member.settings, member.physics)  # start from this seed
    fresh.disorder.load_state_dict(member.disorder.state_dict())
    member.load_state_dict(fresh.state_dict())
    chosen = [i for i, one in enumerate(proteins) if one.fold != fold]
    standardise(member, chosen, proteins, views)
    weights = balance([proteins[i] for i in chosen])
    taught = [i for i, one in enumerate(regions) if one.fold != fold]
    frozen = (*member.physics.parameters(), *member.disorder.parameters())
    kept_fixed = {id(value) for value in frozen}
    learnt = [value for value in member.parameters() if id(value) not in kept_fixed]
    optimiser = torch.optim.AdamW(learnt, lr=RATE, weight_decay=DECAY)
    total = epochs * len(chunks(chosen, proteins))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=total + epochs * 2, pct_start=0.2)
    started = time.monotonic()
    for epoch in range(epochs):
        member.train()
        losses = []
        for chunk in chunks(chosen, proteins, draw):
            batch, disorder, view = gathered(chunk, proteins, views)
            reading = member(batch, tables, disorder, view=view)
            loss = label_loss(reading, [proteins[i] for i in chunk], weights)
            if draw.random() < 0.5:
                loss = loss + 0.3 * region_loss(member, regions, draw.choice(taught), seen, tables)
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(learnt, 1.0)
            optimiser.step()
            schedule.step()
            losses.append(float(loss.detach()))
        print(
            f"fold {fold} seed {seed} epoch {epoch}: {np.mean(losses):.4f} {time.monotonic() - started:.0f} s",
            flush=True,
        )
    member.eval()


@torch.no_grad()
def standardise(member: CondensateNetwork, chosen: list[int], proteins, views) -> None:
    rows = []
    for chunk in chunks(chosen, proteins):
        batch, disorder, view = gathered(chunk, proteins, views)
        rows.append(member.plain(batch, disorder, view))
    plain = torch.cat(rows)
    member.centre.copy_(plain.mean(0))
    member.scale.copy_(plain.std(0).clamp_min(1e-3))


def label_loss(reading, chosen: list[Protein], weights: dict[str, float]) -> Tensor:
    total = reading.driver.sum() * 0.0
    for logits, targets, share in (
        (reading.driver, [one.driver for one in chosen], 1.0),
        (reading.client, [one.client for one in chosen], 0.3),
    ):
        target = torch.tensor(targets)
        known = ~target.isnan()
        if known.any():
            weight = torch.tensor([weights[one.id] for one in chosen])[known]
            total = total + share * (cross_entropy(logits[known], target[known], reduction="none") * weight).mean()
    return total


def region_loss(member, regions: list[Region], index: int, seen, tables: PairTables) -> Tensor:
    batch, disorder, view = gathered([index], regions, seen)
    reading = member(batch, tables, disorder, view=view)
    return cross_entropy(reading.region[0], torch.from_numpy(regions[index].inside))


@torch.no_grad()
def evaluate(member, proteins, views, tables, fold: int):
    held_out = [i for i, one in enumerate(proteins) if one.fold == fold]
    for chunk in chunks(held_out, proteins):
        batch, disorder, view = gathered(chunk, proteins, views)
        reading = member(batch, tables, disorder, view=view)
        found = torch.stack((reading.driver, reading.client), -1).tolist()
        yield from zip(chunk, found, strict=True)


@torch.no_grad()
def profile(member, regions: list[Region], seen, tables, fold: int):
    """The profile of each held-out protein with its disorder, `2 residues`."""
    for index, one in enumerate(regions):
        if one.fold == fold:
            batch, disorder, view = gathered([index], regions, seen)
            reading = member(batch, tables, disorder, view=view)
            yield index, torch.cat((reading.region, reading.disorder)).numpy()


def region_quality(regions: list[Region], profiles: dict[int, list[np.ndarray]]) -> list[list[float]]:
    """AUROC within each held-out protein: of the mean profile over seeds, and of disorder alone."""
    return [
        [float(roc_auc_score(regions[index].inside, score)) for score in np.mean(found, 0)]
        for index, found in sorted(profiles.items())
        if 0 < regions[index].inside.mean() < 1
    ]


def write_held_out(proteins: list[Protein], logits: np.ndarray, region_scores, kind: Path) -> None:
    """What each protein gets from the networks that have not seen its family: benchmarks read these files."""
    with (kind / "held_out.csv").open("w", newline="") as sink:
        writer = csv.writer(sink, lineterminator="\n")
        writer.writerow(["id", "driver", "client"])
        writer.writerows([one.id, *map("{:.4f}".format, row)] for one, row in zip(proteins, logits, strict=True))
    with (kind / "regions.csv").open("w", newline="") as sink:
        writer = csv.writer(sink, lineterminator="\n")
        writer.writerow(["network", "disorder"])
        writer.writerows(map("{:.4f}".format, row) for row in region_scores)
    truth = np.array([one.driver for one in proteins])
    known = ~np.isnan(truth)
    print(f"drivers against negatives, held out: {roc_auc_score(truth[known], logits[known, 0]):.3f}")


if __name__ == "__main__":
    main()
