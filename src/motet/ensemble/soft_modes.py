"""Which way a protein gives: covariance of its free coordinates in an elastic network of its contacts."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..geometry import neighbour_pairs
from ..units import BOLTZMANN, ROOM_TEMPERATURE
from .articulation import Articulation

REACH = 5.0  # Å: heavy atoms this near are tied by a spring
STIFFNESS = 1.0  # kcal/mol/Å² of each spring
OWN_STIFFNESS = {"turn": 2.0, "omega": 60.0, "bend": 120.0, "rotation": 5.0, "shift": 0.5}  # kcal/mol per rad², Å²
_AT_ONCE = 4096


def soft_covariance_factor(
    articulation: Articulation,
    coords: Float[Tensor, "atoms 3"],
    ties: Int[Tensor, "2 ties"] | None = None,
    tie_stiffness: float = 0.0,
) -> Float[Tensor, "free free"]:
    """L with L Lᵀ the covariance of the free coordinates at room temperature; soft twists are long in it.

    The elastic network of Tirion, Phys. Rev. Lett. 77 (1996) 1905, in the torsions (Mendez and Bastolla, Phys.
    Rev. Lett. 104 (2010) 228103): springs between near heavy atoms, and a spring of its own for each coordinate,
    so that what touches nothing still has a finite amplitude.

    Args:
        articulation: The coordinates.
        coords: Conformation whose contacts count.
        ties: Bonds that close a ring through free coordinates.
        tie_stiffness: Their stiffness, in kcal/mol/Å².
    """
    jacobian = articulation.jacobian(coords)
    coords = coords.double()
    hessian = torch.diag(own_stiffness(articulation))
    hessian += _network(jacobian, coords, neighbour_pairs(coords, REACH), STIFFNESS)
    if ties is not None and ties.numel():
        hessian += _network(jacobian, coords, ties, tie_stiffness)
    # The inverse of the Hessian's factor is a factor of its inverse: H = R Rᵀ, so H⁻¹ = R⁻ᵀ R⁻¹.
    root = torch.linalg.cholesky(hessian)
    unit = torch.eye(len(root), dtype=root.dtype, device=root.device)
    inverse = torch.linalg.solve_triangular(root, unit, upper=False)
    return (BOLTZMANN * ROOM_TEMPERATURE) ** 0.5 * inverse.mT


def own_stiffness(articulation: Articulation) -> Float[Tensor, "free"]:
    """The spring of each coordinate by itself."""
    turn = torch.full((len(articulation.torsions),), OWN_STIFFNESS["turn"], dtype=torch.float64)
    turn = turn.to(articulation.torsions.device)
    turn[torch.isin(articulation.torsions, articulation.tree.omega)] = OWN_STIFFNESS["omega"]
    pose = [OWN_STIFFNESS["rotation"]] * 3 + [OWN_STIFFNESS["shift"]] * 3
    rest = [OWN_STIFFNESS["bend"]] * len(articulation.bends) + pose * len(articulation.poses)
    return torch.cat((turn, turn.new_tensor(rest)))


def _network(
    jacobian: Float[Tensor, "atoms 3 free"],
    coords: Float[Tensor, "atoms 3"],
    pairs: Int[Tensor, "2 pairs"],
    stiffness: float,
) -> Float[Tensor, "free free"]:
    """Hessian of ½ k (d - d₀)² of the pairs, at d₀."""
    total = jacobian.new_zeros(jacobian.shape[-1], jacobian.shape[-1])
    for i, j in zip(pairs[0].split(_AT_ONCE), pairs[1].split(_AT_ONCE), strict=True):
        apart = coords[i] - coords[j]
        apart = apart / apart.norm(dim=-1, keepdim=True).clamp_min(1e-9)
        slope = torch.einsum("pax,pa->px", jacobian[i] - jacobian[j], apart)
        total += stiffness * slope.mT @ slope
    return total
