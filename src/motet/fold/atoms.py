"""From frames and torsions to atoms."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from ..geometry import Rigid
from .residues import (
    ATOM_EXISTS,
    GROUP_FRAMES,
    GROUP_OF_PLACE,
    IDEAL_PLACES,
    PLACE_EXISTS,
    PLACE_OF_ATOM,
)


@dataclass(frozen=True, eq=False)
class Placed:
    """The rigid groups of every residue, and its atoms in their 14 own places, in Å (zero where there is none)."""

    groups: Rigid
    positions: Float[Tensor, "*batch residues 14 3"]


class AllAtoms(nn.Module):
    """computeAllAtomCoordinates: Jumper et al. (2021), Suppl. Alg. 24 and 25."""

    group_frames: Float[Tensor, "21 8 3 4"]
    ideal: Float[Tensor, "21 14 3"]
    group_of_place: Int[Tensor, "21 14"]
    place_exists: Float[Tensor, "21 14"]

    def __init__(self) -> None:
        super().__init__()
        # single precision, as the published network was trained with
        self._table("group_frames", torch.tensor(GROUP_FRAMES, dtype=torch.float32))
        self._table("ideal", torch.tensor(IDEAL_PLACES, dtype=torch.float32))
        self._table("place_exists", torch.tensor(PLACE_EXISTS, dtype=torch.float32))
        self._table("group_of_place", torch.tensor(GROUP_OF_PLACE))

    def _table(self, name: str, values: Tensor) -> None:
        self.register_buffer(name, values, persistent=False)

    def forward(
        self,
        residue_types: Int[Tensor, "*batch residues"],
        backbone: Rigid,
        torsions: Float[Tensor, "*batch residues 7 2"],
    ) -> Placed:
        """Atoms of residues whose backbone frames are in Å and whose torsions are (sine, cosine)."""
        kinds = residue_types.long()
        groups = _chained(backbone, self._turned(kinds, torsions))
        group = self.group_of_place[kinds]
        rotation = _picked(groups.rotation, group)
        shift = _picked(groups.translation, group)
        places = (rotation @ self.ideal[kinds][..., None]).squeeze(-1) + shift
        return Placed(groups, places * self.place_exists[kinds][..., None])

    def _turned(self, kinds: Tensor, torsions: Tensor) -> Rigid:
        """Each group in the frame of the one before, turned about its first axis: Alg. 25, makeRotX."""
        frames = self.group_frames[kinds]
        sine, cosine = torsions.unbind(-1)
        none = torch.zeros_like(sine[..., :1])
        sine, cosine = torch.cat((none, sine), -1), torch.cat((none + 1, cosine), -1)
        x, y, z, origin = frames.unbind(-1)
        sine, cosine = sine[..., None], cosine[..., None]
        return Rigid(torch.stack((x, y * cosine + z * sine, z * cosine - y * sine), -1), origin)


def _chained(backbone: Rigid, turned: Rigid) -> Rigid:
    """All groups in the common frame: χ2 stands on χ1, χ3 on χ2, χ4 on χ3; the others on the backbone."""
    each = [Rigid(turned.rotation[..., i, :, :], turned.translation[..., i, :]) for i in range(8)]
    for i in (5, 6, 7):
        each[i] = each[i - 1] @ each[i]
    each = [backbone @ group for group in each]
    return Rigid(
        torch.stack([one.rotation for one in each], -3), torch.stack([one.translation for one in each], -2)
    )


def _picked(values: Tensor, group: Tensor) -> Tensor:
    """Values of the group that each place belongs to."""
    extra = values.dim() - group.dim()
    index = group.reshape(*group.shape, *(1,) * extra).expand(*group.shape, *values.shape[values.dim() - extra :])
    return values.gather(group.dim() - 1, index)


def in_shared_places(
    residue_types: Int[Tensor, "*batch residues"], positions: Float[Tensor, "*batch residues 14 3"]
) -> tuple[Float[Tensor, "*batch residues 37 3"], Float[Tensor, "*batch residues 37"]]:
    """The same atoms in the 37 places that all residues share, and which of them exist."""
    kinds = residue_types.long()
    place = torch.as_tensor(PLACE_OF_ATOM, device=positions.device)[kinds]
    exists = torch.as_tensor(ATOM_EXISTS, device=positions.device)[kinds].to(positions.dtype)
    shared = positions.gather(-2, place[..., None].expand(*place.shape, 3))
    return shared * exists[..., None], exists
