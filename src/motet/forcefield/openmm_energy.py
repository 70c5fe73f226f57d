"""Amber's ff14SB with a generalised Born solvent, computed by OpenMM behind the house's protocol."""

from importlib import import_module
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd.function import once_differentiable

from ..errors import ConfigError, MissingExtraError, NonFiniteError, TopologyMismatchError
from ..shapes import Coords, Energies
from ..structure import Structure, Topology
from ..units import ANGSTROM_PER_NM, ROOM_TEMPERATURE
from .conditions import Conditions
from .energies import Summable
from .water import debye_length

SOLVENTS = ("obc2", "gbn2", "vacuum")
PROTEIN = "amber14/protein.ff14SB.xml"
ION_EXCLUSION = 0.73  # of the screening: Amber's allowance for the size of ions, Srinivasan et al. (1999)
KILOJOULES = 4.184  # in one kilocalorie
OVERFLOW = 1e12  # kcal/mol: what atoms in one place cost, where OpenMM says infinity or nothing at all


class OpenMMEnergy(Summable):
    """Energy of a protein with all hydrogens: ff14SB (Maier et al. 2015) in implicit solvent, without a cut-off.

    OpenMM evaluates conformations one after another, outside the graph; the gradient is its forces, and there is
    no second derivative. A conformation whose energy or forces overflow costs 10¹² kcal/mol, with no gradient.

    Args:
        structure: The protein, with every hydrogen: `structure.completed(hydrogens=True)`.
        solvent: `obc2` (Onufriev, Bashford, Case 2004), `gbn2` (Nguyen, Roe, Simmerling 2013) or `vacuum`.
        ionic_strength: In mol/L; it screens the solvent.
        temperature: In K, for that screening.
        platform: OpenMM's platform; `Reference` computes in double precision.

    Raises:
        MissingExtraError: OpenMM is not installed.
        ConfigError: ff14SB does not describe the structure, there is no such platform, or a setting is wrong.
    """

    def __init__(
        self,
        structure: Structure,
        *,
        solvent: str = "obc2",
        ionic_strength: float = 0.15,
        temperature: float = ROOM_TEMPERATURE,
        platform: str = "CPU",
    ) -> None:
        if solvent not in SOLVENTS:
            raise ConfigError(f"solvent={solvent!r} is none of {', '.join(SOLVENTS)}.")
        Conditions(temperature=temperature, ionic_strength=ionic_strength)
        self.n_atoms = structure.n_atoms
        screening = ION_EXCLUSION * ANGSTROM_PER_NM / debye_length(temperature, ionic_strength)
        self._context = _context(structure, solvent, screening, platform)

    def __call__(self, coords: Coords) -> Energies:
        """Energy of each conformation, in kcal/mol.

        Raises:
            TopologyMismatchError: The coordinates have another number of atoms.
            NonFiniteError: A coordinate is not a number.
        """
        if coords.shape[-2] != self.n_atoms:
            raise TopologyMismatchError(self.n_atoms, coords.shape[-2], "OpenMM energy")
        if not coords.isfinite().all():
            raise NonFiniteError("OpenMM energy")
        energies = _Evaluation.apply(coords, self._context)
        assert isinstance(energies, Tensor)
        return energies


class _Evaluation(torch.autograd.Function):
    """Energies of the context at each conformation, and minus its forces."""

    @staticmethod
    def forward(ctx: Any, coords: Tensor, context: Any) -> Tensor:
        places = coords.detach().cpu().double().numpy().reshape(-1, *coords.shape[-2:]) / ANGSTROM_PER_NM
        energies = np.empty(len(places))
        gradients = np.empty_like(places) if coords.requires_grad else None
        for k, place in enumerate(places):
            energies[k] = _evaluate(context, place, None if gradients is None else gradients[k])
        if gradients is not None:
            ctx.save_for_backward(torch.from_numpy(gradients).reshape(coords.shape).to(coords))
        return torch.from_numpy(energies).reshape(coords.shape[:-2]).to(coords)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *pulls: Tensor) -> tuple[Tensor, None]:  # pyright: ignore
        (gradient,) = ctx.saved_tensors
        return gradient * pulls[0][..., None, None], None


def _evaluate(context: Any, place: NDArray[np.float64], gradient: NDArray[np.float64] | None) -> float:
    """Energy in kcal/mol at a place in nm, and its gradient in kcal/mol/Å, where there is an array for it."""
    context.setPositions(place)
    state = context.getState(getEnergy=True, getForces=gradient is not None)
    energy = float(state.getPotentialEnergy()._value / KILOJOULES)
    if gradient is not None:
        gradient[:] = state.getForces(asNumpy=True)._value / (-KILOJOULES * ANGSTROM_PER_NM)
    if energy < OVERFLOW and np.isfinite(energy) and (gradient is None or np.isfinite(gradient).all()):
        return energy
    if gradient is not None:
        gradient[:] = 0.0
    return OVERFLOW


def _context(structure: Structure, solvent: str, screening: float, platform: str) -> Any:
    openmm, app = _openmm()
    files = [PROTEIN] if solvent == "vacuum" else [PROTEIN, f"implicit/{solvent}.xml"]
    settings = {} if solvent == "vacuum" else {"implicitSolventKappa": screening}
    try:
        system = app.ForceField(*files).createSystem(_topology(structure.topology, app), **settings)
    except (ValueError, KeyError) as error:  # no template for a residue, no such element
        raise ConfigError(
            f"{structure.name}: ff14SB does not describe it ({str(error).partition('.  ')[0]}); "
            "leave ligands and waters out, and give every atom: `structure.completed(hydrogens=True)`."
        ) from error
    try:
        chosen = openmm.Platform.getPlatformByName(platform)
    except openmm.OpenMMException as error:
        names = [openmm.Platform.getPlatform(k).getName() for k in range(openmm.Platform.getNumPlatforms())]
        raise ConfigError(f"platform={platform!r}: this OpenMM has {', '.join(names)}.") from error
    properties = {"Threads": str(torch.get_num_threads()), "DeterministicForces": "true"}
    integrator = openmm.VerletIntegrator(0.001)  # a context asks for one; nothing is integrated
    return openmm.Context(system, integrator, chosen, properties if platform == "CPU" else {})


def _topology(topology: Topology, app: Any) -> Any:
    """The same atoms and bonds as OpenMM's topology, in the same order."""
    made = app.Topology()
    chains = [made.addChain(name) for name in topology.chain_ids.tolist()]
    residues = [
        made.addResidue(name, chains[chain])
        for name, chain in zip(topology.residue_names.tolist(), topology.chain_of_residue.tolist(), strict=True)
    ]
    rows = zip(topology.atom_names, topology.elements, topology.residue_of_atom.tolist(), strict=True)
    atoms = [
        made.addAtom(str(name), app.Element.getBySymbol(str(element)), residues[residue])
        for name, element, residue in rows
    ]
    for i, j in topology.bonds.tolist():
        made.addBond(atoms[i], atoms[j])
    return made


def _openmm() -> tuple[Any, Any]:
    """OpenMM and its application layer, imported late: they cost a second."""
    try:
        return import_module("openmm"), import_module("openmm.app")
    except ImportError as error:
        raise MissingExtraError("openmm", "openmm") from error
