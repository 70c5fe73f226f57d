"""An analysis as files for other tools: tables as CSV, states and fluctuations as PDB."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import torch

from ..geometry import superposed
from ..io import suffix_for, write, write_table
from ..structure import Structure
from .analysis import Analysis
from .observables import alpha_carbons
from .ranges import residue_ranges
from .transitions import Transition

MOST_MODELS = 500  # in ensemble.pdb; the XTC has them all
_STATE_COLUMNS = (
    "state",
    "population",
    "population_error",
    "free_energy",
    "free_energy_error",
    "spread",
    "conformations",
    "medoid",
)


def export(analysis: Analysis, directory: Path) -> None:
    """Write tables, state representatives, fluctuations and the multi-model PDB; replaces what is there."""
    write_states(analysis, directory / "states.csv")
    write_residues(analysis, directory / "residues.csv")
    write_contacts(analysis, directory / "contacts.csv")
    write_transitions(analysis, directory / "transitions.csv")
    suffix = suffix_for(analysis.ensemble.structure)
    fitted = superposed_models(analysis)
    write(fitted.with_coords(fitted.coords[:MOST_MODELS]), directory / f"ensemble{suffix}", overwrite=True)
    for stale in directory.glob("state-*.*"):
        stale.unlink()
    for state in analysis.states.states:
        write(fitted.model(state.medoid), directory / f"state-{state.label}{suffix}", overwrite=True)
    write(with_fluctuations(analysis), directory / f"rmsf{suffix}", overwrite=True)


def write_states(analysis: Analysis, path: Path) -> None:
    """One row a state; populations are shares, free energies in kcal/mol, spread in Å."""
    write_table(
        path,
        _STATE_COLUMNS,
        (
            (
                state.label,
                f"{state.population:.4f}",
                f"{state.population_error:.4f}",
                f"{state.free_energy:.3f}",
                f"{state.free_energy_error:.3f}",
                f"{state.spread:.3f}",
                len(state.members),
                state.medoid,
            )
            for state in analysis.states.states
        ),
        overwrite=True,
    )


def write_residues(analysis: Analysis, path: Path) -> None:
    """One row a residue: numbering as in the file, and RMSF in Å."""
    topology = analysis.ensemble.structure.topology
    residues = analysis.observables.residue_index.tolist()
    rows = (
        (
            topology.chain_ids[topology.chain_of_residue[residue]],
            topology.residue_numbers[residue],
            topology.insertion_codes[residue],
            topology.residue_names[residue],
            f"{rmsf:.3f}",
        )
        for residue, rmsf in zip(residues, analysis.observables.rmsf.tolist(), strict=True)
    )
    write_table(path, ["chain", "number", "insertion_code", "residue", "rmsf"], rows, overwrite=True)


def write_contacts(analysis: Analysis, path: Path) -> None:
    """One row a contact that is made in some conformation, with its occupancy."""
    contacts, labels = analysis.observables.contacts, analysis.observables.residue_labels
    rows = (
        (labels[i], labels[j], f"{occupancy:.3f}")
        for (i, j), occupancy in zip(contacts.pairs.tolist(), contacts.occupancy.tolist(), strict=True)
    )
    write_table(path, ["a", "b", "occupancy"], rows, overwrite=True)


def write_transitions(analysis: Analysis, path: Path) -> None:
    """One row a rigid group, hinge, switch or turned stretch between two states: residues as in the file, Å, °."""
    header = ("from", "to", "what", "residues", "detail", "value", "unit")
    rows = (row for one in analysis.transitions for row in _transition_rows(analysis, one))
    write_table(path, header, rows, overwrite=True)


def _transition_rows(analysis: Analysis, one: Transition) -> list[tuple[object, ...]]:
    def named(residues: Iterable[int]) -> str:
        return residues_of(analysis, residues)

    ends = (one.start, one.end)
    rows: list[tuple[object, ...]] = [(*ends, "representatives", "-", "Cα RMSD", f"{one.rmsd:.2f}", "Å")]
    for group in range(len(one.groups)):
        turn = f"{float(one.groups.screw(group).angle.rad2deg()):.1f}"
        detail = "held still" if group == 0 else "turns against group 0"
        rows.append((*ends, f"rigid group {group}", named(one.groups.members(group).tolist()), detail, turn, "°"))
    for hinge in one.groups.hinges:
        detail = f"between groups {hinge.before} and {hinge.after}"
        rows.append((*ends, "hinge", named(range(hinge.first, hinge.last + 1)), detail, "", ""))
    for change in sorted({(switch.before, switch.after) for switch in one.switches}):
        residues = [s.residue for s in one.switches if (s.before, s.after) == change]
        rows.append((*ends, "switch", named(residues), f"{change[0]} to {change[1]}", len(residues), "residues"))
    if one.turned:
        rows.append((*ends, "turned", named(one.turned), "mean φ or ψ", len(one.turned), "residues"))
    for what, pairs in (("contacts lost", one.lost), ("contacts gained", one.gained)):
        rows.append((*ends, what, named(pairs.unique().tolist()), "Cα within 8 Å", len(pairs), "contacts"))
    return rows


def residues_of(analysis: Analysis, residues: Iterable[int]) -> str:
    """Residues, counted among those of the observables, as a person writes them: `A:12-18, A:40`."""
    index = analysis.observables.residue_index
    return residue_ranges(analysis.ensemble.structure.topology, (int(index[i]) for i in residues))


def transition_sentence(analysis: Analysis, one: Transition) -> str:
    """What moves between two states, in one sentence."""
    told = []
    if len(one.groups) > 1:
        turns = ", ".join(
            f"{residues_of(analysis, one.groups.members(group).tolist())} by "
            f"{float(one.groups.screw(group).angle.rad2deg()):.0f}°"
            for group in range(1, len(one.groups))
        )
        told.append(f"rigid groups turn: {turns}")
    elif len(one.groups):
        told.append(f"{residues_of(analysis, one.groups.members(0).tolist())} keep their shape")
    if one.switches:
        told.append(f"secondary structure switches in {residues_of(analysis, [s.residue for s in one.switches])}")
    told.append(f"{len(one.lost)} contacts are lost and {len(one.gained)} made")
    return f"From state {one.start} to state {one.end} ({one.rmsd:.1f} Å): {'; '.join(told)}."


def superposed_models(analysis: Analysis) -> Structure:
    """All conformations, superposed by their Cα atoms onto the representative of the first state."""
    ensemble = analysis.ensemble
    _, carbons = alpha_carbons(ensemble.structure.topology)
    weights = torch.zeros(ensemble.structure.n_atoms, dtype=ensemble.coords.dtype)
    weights[carbons] = 1.0
    target = ensemble.coords[analysis.states.states[0].medoid]
    return ensemble.structure.with_coords(superposed(ensemble.coords, target, weights))


def with_fluctuations(analysis: Analysis) -> Structure:
    """The representative of the first state with the RMSF of each residue, in Å, in the B-factor column."""
    structure = analysis.ensemble.structure
    by_residue = torch.zeros(structure.n_residues)
    by_residue[analysis.observables.residue_index] = analysis.observables.rmsf.float()
    values = by_residue[torch.from_numpy(structure.topology.residue_of_atom.copy())]
    model = structure.model(analysis.states.states[0].medoid)
    return replace(model, b_factors=values, b_factor_meaning="B")
