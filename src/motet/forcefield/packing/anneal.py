"""Choosing one copy in each slot: simulated annealing over the tables, a whole batch of conformations at once."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from .tables import Tables


@dataclass(frozen=True, kw_only=True)
class Annealing:
    """How to look for the best choice.

    Args:
        walkers: Independent searches of each conformation; the best end of all is taken.
        sweeps: Visits of each slot while it cools; then the walkers go downhill until nothing changes.
        hot: Temperature at the start, as RT in kcal/mol.
        cold: Temperature at the end.
        seed: Seed of the random numbers; every conformation draws the same.
    """

    walkers: int = 4
    sweeps: int = 40
    hot: float = 3.0
    cold: float = 0.1
    seed: int = 0


MOST_DESCENTS = 50
WIDEST = 64  # places that a slot can have


def annealed(
    tables: Tables, how: Annealing, protein: Int[Tensor, "slots"] | None = None
) -> Int[Tensor, "conformations slots"]:
    """The place chosen in each slot; `protein` says whose it is, in rising order, where there are several.

    A visit draws from Boltzmann's law given the neighbours (Gibbs sampling). Slots are visited in an order that
    the seed draws; those that wait for nobody are visited together, which changes nothing but the time it takes.
    """
    conformations, slots, places = tables.alone.shape
    draws = _Draws(torch.zeros(slots, dtype=torch.int64) if protein is None else protein, how)
    groups = [_Group(tables, group) for group in _together(tables, draws.order())]
    chosen = torch.zeros(conformations, how.walkers, slots, dtype=torch.int64, device=tables.alone.device)
    cooling = (how.cold / how.hot) ** (1.0 / max(how.sweeps - 1, 1))
    for sweep in range(how.sweeps):
        gumbel = draws.gumbel()[..., :places] * (how.hot * cooling**sweep)
        gumbel = gumbel.to(tables.alone)
        for group in groups:
            chosen[..., group.slots] = (group.field(chosen) - gumbel[:, group.slots]).argmin(-1)
    for _ in range(MOST_DESCENTS):
        before = chosen.clone()
        for group in groups:
            chosen[..., group.slots] = group.field(chosen).argmin(-1)
        if torch.equal(before, chosen):
            break
    best = tables.energies(chosen).argmin(-1)
    return chosen.gather(1, best[:, None, None].expand(-1, 1, slots)).squeeze(1)


class _Draws:
    """Random numbers of each protein, the same whoever else is packed in the same call."""

    def __init__(self, protein: Int[Tensor, "slots"], how: Annealing) -> None:
        self.sizes = protein.unique_consecutive(return_counts=True)[1].tolist()
        self.walkers = how.walkers
        self.random = [torch.Generator().manual_seed(how.seed) for _ in self.sizes]

    def order(self) -> Int[Tensor, "slots"]:
        """A random order of each protein's slots, one protein after another."""
        start, found = 0, [torch.zeros(0, dtype=torch.int64)]
        for size, random in zip(self.sizes, self.random, strict=True):
            found.append(start + torch.randperm(size, generator=random))
            start += size
        return torch.cat(found)

    def gumbel(self) -> Float[Tensor, "walkers slots widest"]:
        """Gumbel's noise, which turns the lowest energy into a draw from Boltzmann's law."""
        parts = [
            torch.rand(self.walkers, size, WIDEST, generator=random, dtype=torch.float64)
            for size, random in zip(self.sizes, self.random, strict=True)
        ]
        return -(-torch.cat(parts, dim=1).clamp(1e-12, 1 - 1e-12).log()).log()


class _Group:
    """Slots without an edge between them, visited together."""

    def __init__(self, tables: Tables, slots: Int[Tensor, "group"]) -> None:
        self.tables, self.slots = tables, slots.to(tables.alone.device)
        row = torch.full((tables.alone.shape[1],), -1, dtype=torch.int64, device=tables.alone.device)
        row[self.slots] = torch.arange(len(slots), device=tables.alone.device)
        edges = (row[tables.source] >= 0).nonzero().squeeze(-1)
        self.row, self.target = row[tables.source[edges]], tables.target[edges]
        self.together = tables.together[:, edges]
        self.alone = tables.alone[:, None, self.slots]

    def field(self, chosen: Int[Tensor, "conformations walkers slots"]) -> Tensor:
        """Energy of each place of each slot, given the others: `conformations walkers group places`."""
        places = self.alone.shape[-1]
        given = chosen[..., self.target]
        wide = self.together[:, None].expand(-1, chosen.shape[1], -1, -1, -1)
        index = given[..., None, None].expand(-1, -1, -1, places, 1)
        felt = wide.gather(-1, index).squeeze(-1)
        alone = self.alone.expand(-1, chosen.shape[1], -1, -1)
        return alone.index_add(2, self.row, felt)


def _together(tables: Tables, order: Int[Tensor, "slots"]) -> list[Int[Tensor, "group"]]:
    """Groups that, one after another, visit as the order does: a slot waits for its earlier neighbours alone."""
    beside: list[list[int]] = [[] for _ in range(len(order))]
    for a, b in zip(tables.source.tolist(), tables.target.tolist(), strict=True):
        beside[a].append(b)
    turn: dict[int, int] = {}
    for slot in order.tolist():
        turn[slot] = 1 + max((turn[other] for other in beside[slot] if other in turn), default=-1)
    groups: list[list[int]] = [[] for _ in range(max(turn.values(), default=-1) + 1)]
    for slot in order.tolist():
        groups[turn[slot]].append(slot)
    return [torch.tensor(group) for group in groups]
