"""Side chains: a residue jumps to another rotamer, or its χ angles turn a little."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ...chem import ROTAMERS, parent_of
from ..dice import Dice
from ..landscape import Landscape
from .move import Proposal, Walkers, metropolis

WIDTH = math.radians(12.0)  # of each χ about its rotamer
CROWD = 6.0  # Å about the atom that χ1 turns
HALF_CHANCE = 10.0  # neighbours: a residue with this many more is tried half as often


@dataclass(frozen=True, eq=False)
class RotamerJump:
    """The χ angles of one residue drawn anew from its rotamers, whatever they were.

    The draw is from Σ f N(χ; rotamer, 12°), so the way back and the way there have known densities.

    Args:
        slots: Coordinates of χ1 to χ4 of each residue that has rotamers; 0 where there is none.
        exists: Which of them are there.
        offset: χ of the reference: χ = offset + q.
        centres: χ of each rotamer.
        frequencies: How often each occurs; 0 for places that hold none.
        weights: How often each residue is tried: less where there is no room.
    """

    slots: Int[Tensor, "residues 4"]
    exists: Bool[Tensor, "residues 4"]
    offset: Float[Tensor, "residues 4"]
    centres: Float[Tensor, "residues rotamers 4"]
    frequencies: Float[Tensor, "residues rotamers"]
    weights: Float[Tensor, "residues"]
    name: str = "rotamer"
    first_size: float = 1.0
    wanted: float | None = None
    largest_size: float = 1.0

    @classmethod
    def of(cls, landscape: Landscape) -> "RotamerJump | None":
        """The jumps of a molecule; None where no residue has any."""
        articulation, topology = landscape.articulation, landscape.topology
        place = {atom: slot for slot, atom in enumerate(articulation.torsions.tolist())}
        whole = articulation.reference.torsions
        rows = []
        for residue, atoms in enumerate(articulation.tree.chi.tolist()):
            rotamers = ROTAMERS.get(parent_of(str(topology.residue_names[residue])) or "", ())
            free = [place.get(atom, -1) for atom in atoms]
            known = len(rotamers[0].chis) if rotamers else 0
            if known and min(free[:known]) >= 0:
                rows.append((free[:known], [float(whole[atom]) for atom in atoms[:known]], rotamers))
        if not rows:
            return None
        most = max(len(rotamers) for _, _, rotamers in rows)
        slots = torch.zeros(len(rows), 4, dtype=torch.int64)
        exists = torch.zeros(len(rows), 4, dtype=torch.bool)
        offset = torch.zeros(len(rows), 4, dtype=torch.float64)
        centres = torch.zeros(len(rows), most, 4, dtype=torch.float64)
        frequencies = torch.zeros(len(rows), most, dtype=torch.float64)
        for row, (free, start, rotamers) in enumerate(rows):
            slots[row, : len(free)], exists[row, : len(free)] = torch.tensor(free), True
            offset[row, : len(free)] = torch.tensor(start, dtype=torch.float64)
            for column, rotamer in enumerate(rotamers):
                centres[row, column, : len(free)] = torch.tensor(rotamer.chis, dtype=torch.float64)
                frequencies[row, column] = rotamer.frequency
        device = articulation.torsions.device
        found = (one.to(device) for one in (slots, exists, offset, centres, frequencies))
        return cls(*found, weights=_freedom(landscape, articulation.torsions[slots[:, 0].to(device)]))

    def step(
        self, landscape: Landscape, walkers: Walkers, size: Float[Tensor, "walkers"], dice: Dice
    ) -> tuple[Walkers, Float[Tensor, "walkers"]]:
        """One residue a walker, chosen without a look at the conformation."""
        residue = dice.choice(self.weights.expand(len(walkers.q), -1))
        slots, exists = self.slots[residue], self.exists[residue]
        now = self.offset[residue] + walkers.q.gather(1, slots)
        rotamer = dice.choice(self.frequencies[residue])
        chi = self.centres[residue, rotamer] + WIDTH * dice.normal(4)
        change = torch.where(exists, chi - now, 0.0)
        log_ratio = self._log_density(residue, now) - self._log_density(residue, chi)
        q = walkers.q.scatter_add(1, slots, change)
        return metropolis(landscape, walkers, Proposal(q, log_ratio, torch.ones_like(log_ratio) > 0), dice)

    def _log_density(self, residue: Int[Tensor, "walkers"], chi: Float[Tensor, "walkers 4"]) -> Tensor:
        """Of the draw, up to a constant of the residue; each χ is wrapped to the turn nearest its rotamer."""
        off = torch.remainder(chi[:, None] - self.centres[residue] + math.pi, 2 * math.pi) - math.pi
        turns = 2 * math.pi * torch.arange(-1, 2, device=off.device, dtype=off.dtype)
        each = torch.logsumexp(-0.5 * ((off[..., None] + turns) / WIDTH).square(), dim=-1)
        log = torch.where(self.exists[residue][:, None], each, 0.0).sum(-1)
        return torch.logsumexp(log + self.frequencies[residue].log(), dim=-1)


@dataclass(frozen=True, eq=False)
class ChiTurn:
    """All χ of one residue turn by normal angles."""

    jumps: RotamerJump
    name: str = "chi"
    first_size: float = 0.3
    wanted: float | None = 0.35
    largest_size: float = math.pi

    def step(
        self, landscape: Landscape, walkers: Walkers, size: Float[Tensor, "walkers"], dice: Dice
    ) -> tuple[Walkers, Float[Tensor, "walkers"]]:
        """One residue a walker; symmetric."""
        residue = dice.choice(walkers.q.new_ones(len(walkers.q), len(self.jumps.slots)))
        change = torch.where(self.jumps.exists[residue], dice.normal(4) * size[:, None], 0.0)
        q = walkers.q.scatter_add(1, self.jumps.slots[residue], change)
        symmetric = torch.zeros_like(walkers.energy)
        return metropolis(landscape, walkers, Proposal(q, symmetric, symmetric == 0), dice)


def _freedom(landscape: Landscape, tips: Int[Tensor, "residues"]) -> Float[Tensor, "residues"]:
    """How often each residue is tried, by the heavy atoms of others about its χ1 in the reference."""
    topology, home = landscape.topology, landscape.home
    owner = torch.from_numpy(topology.residue_of_atom.copy()).to(tips.device)
    heavy = torch.from_numpy(~topology.is_hydrogen).to(tips.device)
    near = (torch.cdist(home[tips], home) < CROWD) & (owner != owner[tips, None]) & heavy
    return 0.5 ** (near.sum(-1).to(home) / HALF_CHANCE)
