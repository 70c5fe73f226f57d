"""What surrounds each place of a protein, in a few smooth numbers that do not ask what stands there."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from ...chem import read_table
from ...geometry import dihedral
from .preferences import LETTERS, Places, virtual_cb

TABLES = f"{__package__}.tables"
FEATURES = (
    "crowding",
    "contacts",
    "half_sphere",
    "hydropathy_around",
    "charge_around",
    "helix",
    "strand",
    "left",
    "helix_crowding",
    "strand_crowding",
)
_BASINS = {"helix": (-63.0, -43.0), "strand": (-120.0, 135.0), "left": (58.0, 38.0)}  # degrees
_SHARPNESS = 4.0


def environment(places: Places) -> Float[Tensor, "batch residues features"]:
    """`FEATURES` of each place, each of the order of one; from the backbone and the types of the others.

    Crowding and contacts count CB within 12 and 8 Å, half_sphere those within 12 Å on the side chain's side;
    helix, strand and left say how near φ and ψ are to the middle of their basins.
    """
    n, ca, c = places.backbone.unbind(-2)
    cb = virtual_cb(n, ca, c)
    towards = cb[:, None] - cb[:, :, None]
    apart = towards.norm(dim=-1) + 1e3 * torch.eye(cb.shape[1], dtype=cb.dtype, device=cb.device)
    apart = apart.masked_fill(~places.present[:, None], 1e3)
    wide = torch.sigmoid((12.0 - apart) / 0.7)
    outwards = torch.nn.functional.cosine_similarity(towards, (cb - ca)[:, :, None], dim=-1)
    hydropathy, charge = (_of_types(name, places) for name in ("hydropathy", "charge"))
    near = torch.sigmoid((8.0 - apart) / 0.8)
    crowding = (wide.sum(-1) - 15.0) / 10.0
    basins = _basins(places, n, ca, c)
    return torch.stack(
        (
            crowding,
            (torch.sigmoid((8.0 - apart) / 0.7).sum(-1) - 5.0) / 3.0,
            ((torch.sigmoid(12.0 - apart) * torch.sigmoid(4.0 * outwards)).sum(-1) - 10.0) / 8.0,
            (near * hydropathy[:, None]).sum(-1) / near.sum(-1).clamp_min(1.0) / 2.0,
            (torch.sigmoid(9.0 - apart) * charge[:, None]).sum(-1),
            *basins,
            basins[0] * crowding,
            basins[1] * crowding,
        ),
        dim=-1,
    )


def properties() -> dict[str, Float[Tensor, "types"]]:
    """Published properties of the residue types, by name, in the order of `LETTERS`."""
    rows = {row["letter"]: row for row in read_table("residue_properties.csv", TABLES)}
    names = [name for name in rows["A"] if name not in ("letter", "source")]
    return {name: torch.tensor([float(rows[letter][name]) for letter in LETTERS]) for name in names}


def _of_types(name: str, places: Places) -> Float[Tensor, "batch residues"]:
    values = torch.cat((properties()[name], torch.zeros(1))).to(places.backbone)
    return values[places.types]


def _basins(places: Places, n: Tensor, ca: Tensor, c: Tensor) -> list[Float[Tensor, "batch residues"]]:
    follows = (places.position.diff(dim=-1) == 1) & places.present[:, 1:] & places.present[:, :-1]
    phi = dihedral(c[:, :-1], n[:, 1:], ca[:, 1:], c[:, 1:])
    psi = dihedral(n[:, :-1], ca[:, :-1], c[:, :-1], n[:, 1:])
    inside = torch.nn.functional.pad(follows, (1, 0)) & torch.nn.functional.pad(follows, (0, 1))
    phi, psi = torch.nn.functional.pad(phi, (1, 0)), torch.nn.functional.pad(psi, (0, 1))
    found = []
    for centre in _BASINS.values():
        middle = [math.radians(angle) for angle in centre]
        height = torch.cos(phi - middle[0]) + torch.cos(psi - middle[1]) - 2.0
        found.append((_SHARPNESS * height).exp() * inside)
    return found
