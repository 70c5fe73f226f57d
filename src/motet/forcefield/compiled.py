"""Energy and gradient as one graph, compiled: for one protein that is evaluated many thousand times."""

import os
import shutil
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.fx.experimental.proxy_tensor import make_fx

from ..errors import ConfigError
from ..shapes import Coords, Summable
from .filling import Room, filled, refilled, tensors_in
from .neighbours import Neighbours
from .separation import Pairs

if TYPE_CHECKING:
    from .system import System

Graph = Callable[..., tuple[Tensor, Tensor]]  # of coordinates and lists: energies, and their sum's gradient


class Lists(NamedTuple):
    """What a graph reads of `Neighbours`, in tensors alone; `selected` is in the order of the terms."""

    pairs: Pairs
    code: Int[Tensor, "pairs"]
    protein: Int[Tensor, "pairs"]
    length: Int[Tensor, ""]
    selected: tuple[Any, ...]


class CompiledSystem(Summable):
    """A `System` whose energy and gradient by the coordinates come out of one compiled graph, both at each call.

    It stands in for the system wherever coordinates move: in `minimise`, in dynamics. The graph is a pure function
    of coordinates and lists of pairs; whether the lists still hold is looked at outside of it. It is compiled at
    the first call, which takes a minute or two, and again when the number of conformations or the precision is
    another, or when a list has outgrown its room. Parameters are read at each call, but to learn them, or for a
    second derivative, take the system itself.

    Args:
        system: The system.
        backend: Of `torch.compile`.
    """

    def __init__(self, system: "System", backend: str = "inductor") -> None:
        self.system, self.backend = system, backend
        self.names, self.masses, self.mobile, self.seen = system.names, system.masses, system.mobile, system.seen
        self._protein = torch.zeros(system.layout.n_atoms, dtype=torch.int64)
        self._protein[system.seen] = torch.from_numpy(system.layout.protein_of_atom)
        self._rooms: dict[int, Room] = {}
        self._graphs: dict[tuple[Any, ...], Graph] = {}
        self._neighbours: Neighbours | None = None
        self._lists: Lists | None = None

    names: tuple[str, ...]
    masses: Float[Tensor, "atoms"]
    mobile: Bool[Tensor, "atoms"]
    seen: Bool[Tensor, "atoms"]

    def __call__(self, coords: Coords) -> Float[Tensor, "*batch_or_proteins"]:
        """Energy in kcal/mol, as of the system; differentiable once, by the coordinates.

        Raises:
            ConfigError: There is no C++ compiler.
            TopologyMismatchError: The coordinates have another number of atoms.
            NonFiniteError: A coordinate is not a number.
        """
        flat = self.system.flat(coords)
        energies = _Evaluated.apply(flat, self._evaluate, self._protein)
        assert isinstance(energies, Tensor)
        return energies.reshape((*coords.shape[:-2], *energies.shape[1 + self.system.alone :]))

    def terms(self, coords: Coords) -> Float[Tensor, "*batch_or_proteins terms"]:
        """Energy by term, by the system itself."""
        return self.system.terms(coords)

    def forget(self) -> None:
        """Drop the neighbour lists; what has been compiled stays."""
        self._neighbours = self._lists = None
        self.system.forget()

    @torch.no_grad()
    def _evaluate(self, flat: Float[Tensor, "conformations atoms 3"]) -> tuple[Tensor, Tensor]:
        lists = self._lists_of(flat)
        tensors = list(tensors_in(lists))
        key = flat.shape, flat.dtype, flat.device, *(one.shape for one in tensors)
        if key not in self._graphs:
            self._graphs[key] = self._compiled(flat, lists)
        return self._graphs[key](flat, *tensors)

    def _lists_of(self, flat: Float[Tensor, "conformations atoms 3"]) -> Lists:
        seen = self.system.seen_of(flat)
        if self._lists is None or self._neighbours is None or not self._neighbours.holds(seen):
            self._neighbours = self.system.neighbours_of(seen)
            self._lists = self._filled(self._neighbours, self._rooms.setdefault(len(flat), Room()))
        return self._lists

    def _filled(self, found: Neighbours, room: Room) -> Lists:
        """The lists with rows that count for nothing, up to lengths that hold for a while."""
        size = room("pairs", len(found.i))
        pairs = filled(Pairs(found.i, found.j), size)
        code, protein = (filled(Pairs(one, one), size).i for one in (found.code, found.protein))
        selected = tuple(term.fill(found.selected[term.name], room) for term in self.system.force_field.terms)
        return Lists(pairs, code, protein, torch.tensor(len(found.i), device=found.i.device), selected)

    def _compiled(self, flat: Float[Tensor, "conformations atoms 3"], lists: Lists) -> Graph:
        needs_compiler = self.backend == "inductor" and flat.device.type == "cpu"
        if needs_compiler and not any(map(shutil.which, (os.environ.get("CXX", "g++"), "clang++"))):
            raise ConfigError("compiled() needs a C++ compiler and finds none: install g++, or do without it.")
        names, built_at = self.names, self.system.seen_of(flat)

        def evaluation(flat: Tensor, *tensors: Tensor) -> tuple[Tensor, Tensor]:
            given: Lists = refilled(lists, iter(tensors))
            selected = dict(zip(names, given.selected, strict=True))
            near = torch.zeros_like(given.code, dtype=torch.bool)  # read by `select` alone
            pairs = Neighbours(given.pairs, given.code, near, given.protein, built_at, selected, given.length)
            with torch.enable_grad():
                points = flat.detach().requires_grad_()
                energies = self.system.evaluated(points, pairs).sum(-1)
                gradient = torch.autograd.grad(energies.sum(), points)[0]
            return energies.detach(), gradient

        graph = make_fx(evaluation)(flat, *tensors_in(lists))
        return torch.compile(graph, backend=self.backend, fullgraph=True, dynamic=False)


class _Evaluated(torch.autograd.Function):
    """Energies whose gradient is known already. An atom moves the energy of its own protein alone."""

    @staticmethod
    def forward(
        ctx: Any, flat: Tensor, evaluate: Callable[[Tensor], tuple[Tensor, Tensor]], protein: Tensor
    ) -> Tensor:
        energies, gradient = evaluate(flat.detach())
        ctx.save_for_backward(gradient, protein)
        return energies

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *pulls: Tensor) -> tuple[Tensor, None, None]:  # pyright: ignore
        gradient, protein = ctx.saved_tensors
        return gradient * pulls[0].index_select(1, protein.to(gradient.device))[..., None], None, None
