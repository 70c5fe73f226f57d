"""Draw the README's picture from an ensemble that `motet ensemble` wrote.

`python scripts/readme_picture.py 1l2y-ensemble docs/images/ensemble.png`: left the conformations as backbone
traces in the colour of their state, in the middle RMSF along the chain, right the free-energy map on two principal
components. What it shows is what the directory holds; nothing is drawn by hand.
"""

import argparse
from pathlib import Path

import matplotlib
import numpy as np
from scipy.interpolate import make_interp_spline

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap, to_rgb

from motet.ensemble import Analysis, analyse, load
from motet.ensemble.exports import superposed_models
from motet.report.palette import STATE_COLOURS

PAPER = LinearSegmentedColormap.from_list("paper", ("#9fb0c0", "#ffffff"))
TRACES = 40
POINTS_PER_RESIDUE = 8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ensemble", type=Path, help="directory that `motet ensemble` wrote")
    parser.add_argument("picture", type=Path, help="PNG or SVG to write")
    arguments = parser.parse_args()
    analysis = analyse(load(arguments.ensemble))
    plt.rcParams.update({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False})
    figure, (traces, chain, landscape) = plt.subplots(
        1, 3, figsize=(10.5, 3.3), width_ratios=(1.0, 1.1, 1.1), layout="constrained"
    )
    draw_traces(traces, analysis)
    draw_fluctuations(chain, analysis)
    draw_landscape(landscape, analysis)
    figure.savefig(arguments.picture, dpi=160, metadata={"Software": None})


def draw_traces(axes: Axes, analysis: Analysis) -> None:
    """Cα traces of up to TRACES conformations seen along the thinnest axis of the molecule, near ones in front."""
    atoms = analysis.ensemble.structure.topology.atom_index("CA")[analysis.observables.residue_index.numpy()]
    coords = superposed_models(analysis).coords[:, atoms].double().numpy()
    coords = coords - coords.mean((0, 1))
    _, _, view = np.linalg.svd(coords.mean(0), full_matrices=False)
    shown = np.unique(np.linspace(0, len(coords) - 1, TRACES).astype(int))
    labels = analysis.states.labels.tolist()
    segments, colours, depths = [], [], []
    for index in shown:
        curve = smooth(coords[index] @ view.T)
        segments.append(np.stack((curve[:-1, :2], curve[1:, :2]), axis=1))
        colours += [STATE_COLOURS[labels[index] % len(STATE_COLOURS)]] * (len(curve) - 1)
        depths.append(0.5 * (curve[:-1, 2] + curve[1:, 2]))
    segments, depths = np.concatenate(segments), np.concatenate(depths)
    order = np.argsort(depths)
    nearness = (depths - depths.min()) / max(float(np.ptp(depths)), 1e-6)
    axes.add_collection(
        LineCollection(
            segments[order],
            colors=[faded(colours[i], 0.35 + 0.6 * nearness[i]) for i in order],
            linewidths=0.7 + 1.3 * nearness[order],
            capstyle="round",
        )
    )
    axes.autoscale()
    axes.set_aspect("equal")
    axes.set_axis_off()
    axes.set_title(f"{len(shown)} of {len(analysis.ensemble)} conformations", fontsize=9)


def faded(colour: str, strength: float) -> tuple[float, ...]:
    """The colour mixed with white: opaque, so that overlapping pieces of a curve leave no beads."""
    return tuple(1 - strength * (1 - channel) for channel in to_rgb(colour))


def smooth(points: np.ndarray) -> np.ndarray:
    """A curve through the points."""
    along = np.arange(len(points))
    fine = np.linspace(0, len(points) - 1, POINTS_PER_RESIDUE * (len(points) - 1) + 1)
    return make_interp_spline(along, points, k=min(3, len(points) - 1))(fine)


def draw_fluctuations(axes: Axes, analysis: Analysis) -> None:
    numbers = analysis.ensemble.structure.topology.residue_numbers[analysis.observables.residue_index.numpy()]
    rmsf = analysis.observables.rmsf.numpy()
    axes.fill_between(numbers, rmsf, color=STATE_COLOURS[0], alpha=0.15, linewidth=0)
    axes.plot(numbers, rmsf, color=STATE_COLOURS[0], linewidth=1.5)
    axes.set(xlabel="residue", ylabel="RMSF (Å)", ylim=(0, None), xlim=(numbers.min(), numbers.max()))
    axes.set_title("what moves", fontsize=9)


def draw_landscape(axes: Axes, analysis: Analysis) -> None:
    surface = analysis.free_energy_map
    x, y, values = surface.x.numpy(), surface.y.numpy(), surface.values.numpy()
    filled = axes.contourf(x, y, np.ma.masked_invalid(values), levels=12, cmap=PAPER)
    projections = analysis.observables.principal.projections.numpy()
    for state in analysis.states.states:
        colour = STATE_COLOURS[state.label % len(STATE_COLOURS)]
        members = state.members.numpy()
        label = f"state {state.label}: {state.population:.0%}"
        axes.scatter(*projections[members, :2].T, s=9, color=colour, edgecolor="white", linewidth=0.4, label=label)
    axes.figure.colorbar(filled, ax=axes, label="free energy (kcal/mol)")
    axes.legend(frameon=False, fontsize=8, loc="best", handletextpad=0.2)
    axes.set(xlabel="PC 1 (Å)", ylabel="PC 2 (Å)")
    axes.set_title("the states it forms", fontsize=9)


if __name__ == "__main__":
    main()
