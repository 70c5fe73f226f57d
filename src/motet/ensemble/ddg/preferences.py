"""Which residue a place in a protein prefers: a small network over the backbone and the residues around."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from ...chem import RESIDUES, STANDARD, parent_of
from ...structure import Structure

LETTERS = tuple(sorted(RESIDUES[name].letter for name in STANDARD))
UNKNOWN = len(LETTERS)
FAMILY = 1  # the second of the network's two answers
NEAREST = 16  # residues that a place looks at
FARTHEST = 14.0  # Å: a residue there, CB to CB, is no longer seen
CENTRES = 10  # radial functions of a distance
APART = 4  # positions along the chain that are told apart; beyond, only the direction is


@dataclass(frozen=True, eq=False)
class Places:
    """Residues of a protein, or of several of equal length, as the network sees them.

    Args:
        backbone: N, CA and C of each residue, in Å.
        types: Residue type, as a place in `LETTERS`, or `UNKNOWN`.
        position: Number along the chain; chains are far apart in it.
        present: Whether there is a residue.
    """

    backbone: Float[Tensor, "batch residues 3 3"]
    types: Int[Tensor, "batch residues"]
    position: Int[Tensor, "batch residues"]
    present: Bool[Tensor, "batch residues"]


class ResiduePreferences(nn.Module):
    """-ln p of each residue type at each place, given backbone and neighbours but not what stands there.

    Messages pass between near residues: distance and direction in the place's own frame, how the neighbour is
    turned, how far along the chain it is. The first rounds see backbones alone and tell each place what fold it
    stands in; the last ones bring the neighbours' types, too, from what each neighbour itself is and from nowhere
    farther, so that no place ever hears of its own. Two answers: the residue found in the protein, and those
    found in its family.

    Args:
        width: Features of a place and of a message.
        shapes: Rounds that see backbones alone.
        types: Rounds that see the neighbours' types.
    """

    def __init__(self, width: int = 128, shapes: int = 2, types: int = 2) -> None:
        super().__init__()
        seen = 2 * CENTRES + 6 + 9 + 2 * APART + 3
        self.edge = nn.Sequential(nn.Linear(seen, width), nn.ReLU())
        self.start = nn.Linear(2, width)
        self.kind = nn.Embedding(UNKNOWN + 1, width)
        self.shapes = nn.ModuleList(Round(width) for _ in range(shapes))
        self.types = nn.ModuleList(Round(width) for _ in range(types))
        self.answer = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, 2 * UNKNOWN)
        )

    def forward(self, places: Places) -> Float[Tensor, "batch residues 2 types"]:
        """-ln p, found in the protein first, then in its family."""
        return -self.answer(self.features(places)).unflatten(-1, (2, UNKNOWN)).log_softmax(-1)

    def features(self, places: Places) -> Float[Tensor, "batch residues width"]:
        """What the network makes of each place before it answers."""
        near, seen, weight = _edges(places)
        edges = self.edge(seen)
        crowd = torch.stack((weight.sum(-1) / NEAREST, weight.square().sum(-1) / NEAREST), dim=-1)
        here = self.start(crowd)
        for pass_on in self.shapes:
            here = pass_on(here, here, edges, near, weight)
        neighbours = here + self.kind(places.types)
        for pass_on in self.types:
            here = pass_on(here, neighbours, edges, near, weight)
        return here


class Round(nn.Module):
    """What the neighbours say to each place, and what it makes of it."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.own, self.other = nn.Linear(width, width), nn.Linear(width, width, bias=False)
        self.edge = nn.Linear(width, width, bias=False)
        self.listen, self.gather = nn.Linear(width, width), nn.Linear(width, width)
        self.think = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.GELU())
        self.change = nn.Linear(2 * width, width)
        self.norm = nn.LayerNorm(width)

    def forward(
        self,
        here: Float[Tensor, "batch residues width"],
        neighbours: Float[Tensor, "batch residues width"],
        edges: Float[Tensor, "batch residues near width"],
        near: Int[Tensor, "batch residues near"],
        weight: Float[Tensor, "batch residues near"],
    ) -> Float[Tensor, "batch residues width"]:
        """The places after a round in which each hears its near neighbours."""
        rows = torch.arange(len(here), device=here.device)[:, None, None]
        said = self.edge(edges) + self.other(neighbours)[rows, near] + self.own(self.norm(here))[:, :, None]
        said = nn.functional.relu(self.listen(nn.functional.relu(said)))
        here = here + self.gather((weight[..., None, :] @ said).squeeze(-2) / NEAREST**0.5)
        return here + self.change(self.think(here))


def places_of(structure: Structure) -> tuple[Places, Int[np.ndarray, "places"]]:
    """The residues of a structure's first conformation that have N, CA and C, and which residues they are."""
    topology = structure.topology
    backbone = topology.backbone[:, :3]
    residues = np.flatnonzero((backbone >= 0).all(-1))
    letters = [
        RESIDUES[parent_of(str(name)) or ""].letter if parent_of(str(name)) else ""
        for name in topology.residue_names[residues]
    ]
    types = [LETTERS.index(letter) if letter in LETTERS else UNKNOWN for letter in letters]
    broken = np.cumsum(~topology.follows)[residues] * 10 * APART
    index = torch.from_numpy(backbone[residues])
    places = Places(
        structure.model(0).coords.detach()[index][None],
        torch.tensor([types], dtype=torch.int64),
        torch.from_numpy(residues + broken)[None],
        torch.ones(1, len(residues), dtype=torch.bool),
    )
    return places, residues


def _edges(
    places: Places,
) -> tuple[
    Int[Tensor, "batch residues near"],
    Float[Tensor, "batch residues near seen"],
    Float[Tensor, "batch residues near"],
]:
    """Who is near, how it stands to the place, and how much it counts."""
    n, ca, c = places.backbone.unbind(-2)
    cb = virtual_cb(n, ca, c)
    frame = _frames(n, ca, c)
    count = min(NEAREST, ca.shape[1] - 1)
    with torch.no_grad():
        apart = torch.cdist(cb, cb)
        hidden = ~places.present[:, None] | torch.eye(ca.shape[1], dtype=torch.bool, device=ca.device)
        near = apart.masked_fill(hidden, 1e4).topk(count, largest=False).indices
    rows = torch.arange(len(ca), device=ca.device)[:, None, None]
    own, other = frame[:, :, None], frame[rows, near]
    towards_cb, towards_ca = (there[rows, near] - cb[:, :, None] for there in (cb, ca))
    distance_cb, distance_ca = towards_cb.norm(dim=-1), towards_ca.norm(dim=-1)
    along = places.position[rows, near] - places.position[:, :, None]
    along = along.clamp(-APART - 1, APART + 1) + APART + 1
    known = places.present[rows, near] & places.present[:, :, None]
    seen = (
        _radial(distance_cb),
        _radial(distance_ca),
        _direction(own, towards_cb, distance_cb),
        _direction(own, towards_ca, distance_ca),
        (own.mT @ other).flatten(-2),
        torch.nn.functional.one_hot(along, 2 * APART + 3).to(cb.dtype),
    )
    t = (distance_cb / FARTHEST).clamp(0.0, 1.0)
    return near, torch.cat(seen, dim=-1), (1.0 - t * t).square() * known


def virtual_cb(
    n: Float[Tensor, "*batch 3"], ca: Float[Tensor, "*batch 3"], c: Float[Tensor, "*batch 3"]
) -> Float[Tensor, "*batch 3"]:
    """Where CB is or would be, in Å, with ideal bonds and angles."""
    b, a = ca - n, c - ca
    return ca - 0.58273431 * torch.linalg.cross(b, a) + 0.56802827 * b - 0.54067466 * a


def _frames(n: Tensor, ca: Tensor, c: Tensor) -> Float[Tensor, "batch residues 3 3"]:
    """Axes as columns: towards C, in the plane of N, and square to both."""
    x = torch.nn.functional.normalize(c - ca, dim=-1, eps=1e-6)
    z = torch.nn.functional.normalize(torch.linalg.cross(x, n - ca), dim=-1, eps=1e-6)
    return torch.stack((x, torch.linalg.cross(z, x), z), dim=-1)


def _radial(distance: Tensor) -> Tensor:
    centres = torch.linspace(3.0, FARTHEST, CENTRES, dtype=distance.dtype, device=distance.device)
    return (-((distance[..., None] - centres) / 1.2).square()).exp()


def _direction(frame: Tensor, towards: Tensor, distance: Tensor) -> Tensor:
    return (frame.mT @ towards[..., None]).squeeze(-1) / distance.clamp_min(1e-6)[..., None]
