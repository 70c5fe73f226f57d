"""Do the clusters come out that are there, in every run, and how long do 10,000 conformations take?

Three discs that only a model both flat and compact can tell apart, over ten seeds with default settings; and six
basins along the opening of adenylate kinase (214 Cα), each a Gaussian in a subspace of two to six dimensions about
a frame of a trajectory. The second set favours MPPCA by construction: it tests speed and sanity, not merit. The
scikit-learn methods stand beside. Data: the shared `dynamics` folder.

    python benchmarks/science/clusters.py        # about two minutes on one core
"""

import time
from pathlib import Path

import numpy as np
import torch

from motet.cluster import MPPCA, SESC, GaussianMixture, KMeans, adjusted_rand
from motet.geometry import superposed_to_mean

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "dynamics"
SEEDS = range(10)
COUNT, BASINS, NOISE, SPREAD = 10_000, 6, 0.35, 1.0  # conformations, Å, Å in each direction of a basin
COMPONENTS = 20  # of what scikit-learn's mixture is given


def main() -> None:
    torch.set_num_threads(1)
    print("| three discs, mean adjusted Rand index of ten seeds | least | |\n|---|---|---|")
    for name, make in (("SESC", SESC), ("MPPCA", MPPCA), ("k-means", KMeans)):
        found = [agreement(make(3), *discs(seed), seed)[0] for seed in SEEDS]
        print(f"| {name} | {np.mean(found):.3f} | {min(found):.3f} |", flush=True)
    print(
        f"\n| {COUNT:,} conformations of 214 Cα | adjusted Rand, mean of three seeds | least | CPU s of one fit |"
    )
    print("|---|---|---|---|")
    points, truth, took = conformations()
    print(f"| superposition on their mean | | | {took:.1f} |")
    seen = principal(points)
    for name, make, cloud in (
        ("SESC", SESC, points),
        (f"MPPCA, {COMPONENTS} components", MPPCA, seen),
        ("MPPCA", MPPCA, points),
        ("k-means", KMeans, points),
        (f"scikit-learn's Gaussian mixture, {COMPONENTS} components", GaussianMixture, seen),
    ):
        rows = [agreement(make(BASINS), cloud, truth, seed) for seed in SEEDS[:3]]
        found, seconds = zip(*rows, strict=True)
        print(f"| {name} | {np.mean(found):.3f} | {min(found):.3f} | {max(seconds):.1f} |", flush=True)


def agreement(estimator, points: torch.Tensor, truth: torch.Tensor, seed: int) -> tuple[float, float]:
    """Adjusted Rand index with the truth, and processor time."""
    began = time.process_time()
    model = estimator.fit(points, generator=torch.Generator().manual_seed(seed))
    return float(adjusted_rand(model.labels, truth)), time.process_time() - began


def discs(seed: int, each: int = 300, dims: int = 20) -> tuple[torch.Tensor, torch.Tensor]:
    """Two side by side in one plane; the plane of the third crosses it at the centre of the first."""
    random = torch.Generator().manual_seed(seed)
    length, angle = torch.rand(2, 3, each, generator=random, dtype=torch.float64)
    length, angle = 10.0 * length.sqrt(), 2 * torch.pi * angle
    points = 0.3 * torch.randn(3, each, dims, generator=random, dtype=torch.float64)
    for disc, (x, y) in enumerate([(0, 1), (0, 1), (2, 3)]):
        points[disc, :, x] += length[disc] * angle[disc].cos()
        points[disc, :, y] += length[disc] * angle[disc].sin()
    points[1, :, 0] += 25.0
    return points.flatten(0, 1), torch.arange(3).repeat_interleave(each)


def conformations() -> tuple[torch.Tensor, torch.Tensor, float]:
    """Superposed Cα of basins along the trajectory, their truth, and the processor time of the superposition."""
    data = np.load(SHARED / "trajectories/adk_dims.npz")
    frames = torch.from_numpy(data["coords"][:, :, 1].astype(np.float32) / 100)
    random = torch.Generator().manual_seed(0)
    centres = superposed_to_mean(frames)[0][torch.linspace(0, len(frames) - 1, BASINS).long()].flatten(1)
    truth = torch.randint(0, BASINS, (COUNT,), generator=random)
    cloud = centres[truth] + NOISE * torch.randn(COUNT, centres.shape[1], generator=random)
    for label in range(BASINS):
        axes = torch.linalg.qr(torch.randn(centres.shape[1], 2 + label % 5, generator=random)).Q
        inside = truth == label
        wide = SPREAD * (centres.shape[1] / 3) ** 0.5
        cloud[inside] += wide * torch.randn(int(inside.sum()), axes.shape[1], generator=random) @ axes.mT
    began = time.process_time()
    fitted = superposed_to_mean(cloud.unflatten(1, (-1, 3)))[0]
    return fitted.flatten(1), truth, time.process_time() - began


def principal(points: torch.Tensor) -> torch.Tensor:
    """The leading principal components."""
    centred = points - points.mean(0)
    return centred @ torch.pca_lowrank(centred, COMPONENTS, center=False)[2]


if __name__ == "__main__":
    main()
