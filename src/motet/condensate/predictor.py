"""Phase separation of proteins: what a user asks, and gets."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

import torch
from jaxtyping import Float
from safetensors import safe_open
from torch import Tensor, nn

from ..errors import FormatError
from ..forcefield import Conditions
from ..io import read_weights
from ..structure import Structure
from .direction import Direction
from .network import CondensateNetwork, Reading, Settings
from .physics import DESCRIPTORS, PairTables, PhysicalLayer
from .saturation import micromolar
from .sequences import SequenceBatch, encode
from .structures import available, chains_of, exposure

AREA = 4_000_000  # residues² in one batch
WEIGHTS = "condensate.safetensors"
REFERENCE = "negatives of PPMC-lab/llps-datasets (DisProt and PDB)"


@dataclass(frozen=True, eq=False)
class Verdict:
    """What is said of one protein.

    Args:
        name: Of the protein.
        sequence: Its residues.
        driver: Probability that it drives phase separation.
        driver_low: Lower end of what the members of the network say.
        driver_high: Upper end.
        client: Probability that it is recruited by others.
        percentile: Share of the reference set, in %, that scores lower.
        saturation: Saturation concentration in µM by mean field; infinite when it never parts.
        by_physics: Share of physics in the logit of driver.
        by_learning: Share of what was learnt beyond it.
        descriptors: What the physical layer saw, by name.
        shares: What each of them adds to the logit of driver.
        contacts: What each energy adds to the descriptor `all_atom`, by name.
        profile: Probability of each residue that the protein drives and that the residue takes part in it.
        disorder: Probability of disorder of each residue.
    """

    name: str
    sequence: str
    driver: float
    driver_low: float
    driver_high: float
    client: float
    percentile: float
    saturation: float
    by_physics: float
    by_learning: float
    descriptors: dict[str, float] = field(repr=False)
    shares: dict[str, float] = field(repr=False)
    contacts: dict[str, float] = field(repr=False)
    profile: Float[Tensor, "residues"] = field(repr=False)
    disorder: Float[Tensor, "residues"] = field(repr=False)


class PhaseSeparation(nn.Module):
    """Several networks, trained on different parts of the data, over one physical layer.

    Args:
        settings: Size of each network.
        members: How many.
        physics: What they share.
    """

    calibration: Float[Tensor, "2 2"]
    reference: Float[Tensor, "101"]

    def __init__(self, settings: Settings, members: int, physics: PhysicalLayer | None = None) -> None:
        super().__init__()
        self.physics = physics or PhysicalLayer()
        self.members = nn.ModuleList(CondensateNetwork(settings, self.physics) for _ in range(members))
        self.direction = Direction()
        self.register_buffer("calibration", torch.tensor([[1.0, 0.0], [1.0, 0.0]]))
        self.register_buffer("reference", torch.linspace(-8.0, 8.0, 101))
        self._tables: dict[Conditions, PairTables] = {}

    @classmethod
    def pretrained(cls, path: Path | None = None) -> "PhaseSeparation":
        """The network that ships, or one that `scripts/train/condensate.py` has written.

        Raises:
            FormatError: The file holds another network, or one of another force field.
        """
        source = Path(str(files("motet.condensate").joinpath(WEIGHTS))) if path is None else path
        tensors = read_weights(source)
        with safe_open(source, framework="pt") as opened:
            metadata = opened.metadata() or {}
        if not {"settings", "members", "channels"} <= metadata.keys():
            raise FormatError(
                source, "is not a network of phase separation", "train one with scripts/train/condensate.py"
            )
        network = cls(Settings(**json.loads(metadata["settings"])), int(metadata["members"]))
        if tuple(metadata["channels"].split()) != network.physics.channels:
            raise FormatError(source, "belongs to a force field of other terms", "train it anew for this one")
        network._take(tensors, source)
        return network.eval()

    def tables(self, conditions: Conditions) -> PairTables:
        """The pair tables at these conditions; computed once when no gradient is asked for."""
        if torch.is_grad_enabled():
            return self.physics.tables(conditions)
        if conditions not in self._tables:
            self._tables[conditions] = self.physics.tables(conditions)
        return self._tables[conditions]

    def forward(
        self,
        batch: SequenceBatch,
        tables: PairTables,
        disorder: Float[Tensor, "proteins residues"] | None = None,
        exposed: Float[Tensor, "proteins residues"] | None = None,
    ) -> list[Reading]:
        """What each member says; differentiable by all parameters, by the tables, disorder and exposure."""
        readings = []
        for member in self._networks():
            loose = member.disorder(batch).sigmoid() if disorder is None else disorder
            free = None if exposed is None else available(loose, exposed)
            readings.append(member(batch, tables, loose, free))
        return readings

    def disorder(self, batch: SequenceBatch) -> Float[Tensor, "proteins residues"]:
        """Probability of disorder of each residue: the mean of the members."""
        found = [member.disorder(batch).sigmoid() for member in self._networks()]
        return torch.stack(found).mean(0) * batch.present

    def driver_probability(self, readings: Sequence[Reading]) -> Float[Tensor, "proteins"]:
        """Calibrated probability of driving phase separation."""
        slope, offset = self.calibration[0]
        return torch.sigmoid(slope * torch.stack([one.driver for one in readings]).mean(0) + offset)

    @torch.no_grad()
    def predict(
        self,
        sequences: Sequence[str],
        names: Sequence[str] | None = None,
        conditions: Conditions | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> list[Verdict]:
        """A verdict on each sequence, whatever else is asked beside it.

        Args:
            sequences: One-letter codes.
            names: One a sequence.
            conditions: 298 K, 0.15 mol/L and pH 7 when left out.
            progress: Called with the number done, and of all.

        Raises:
            ConfigError: A sequence is too short, or holds what is no amino acid.
        """
        names = [f"sequence_{i + 1}" for i in range(len(sequences))] if names is None else names
        tables = self.tables(conditions or Conditions())
        found: dict[int, Verdict] = {}
        for chunk in batches_of([len(one) for one in sequences]):
            batch = encode([sequences[i] for i in chunk]).to(self.reference.device)
            chosen = [(names[i], sequences[i]) for i in chunk]
            found.update(zip(chunk, self._verdicts(self(batch, tables), chosen), strict=True))
            if progress:
                progress(len(found), len(sequences))
        return [found[i] for i in range(len(sequences))]

    @torch.no_grad()
    def predict_structure(self, structure: Structure, conditions: Conditions | None = None) -> list[Verdict]:
        """A verdict on each protein chain; of an ensemble, on the mean exposure of its conformations.

        pLDDT tells what is disordered where the structure is a prediction; a fold counts by its exposed residues.
        """
        conditions = conditions or Conditions()
        tables = self.tables(conditions)
        coords = structure.coords.reshape(-1, structure.n_atoms, 3)
        exposed = exposure(structure, coords, self.physics.fragments.force_field, conditions).mean(0)
        verdicts = []
        for chain in chains_of(structure):
            batch = encode([chain.sequence])
            disorder = None if chain.disorder is None else chain.disorder[None]
            readings = self(batch, tables, disorder, exposed[torch.tensor(chain.residues)][None])
            verdicts += self._verdicts(readings, [(chain.name, chain.sequence)])
        return verdicts

    def _networks(self) -> Iterator[CondensateNetwork]:
        for member in self.members:
            assert isinstance(member, CondensateNetwork)
            yield member

    def _verdicts(self, readings: Sequence[Reading], asked: Sequence[tuple[str, str]]) -> Iterator[Verdict]:
        slope, offset = self.calibration.unbind(-1)
        driver = torch.stack([one.driver for one in readings])
        client = torch.stack([one.client for one in readings]).mean(0)
        mean, spread = driver.mean(0), driver.std(0, correction=0)
        low, middle, high = (torch.sigmoid(slope[0] * x + offset[0]) for x in (mean - spread, mean, mean + spread))
        recruited = torch.sigmoid(slope[1] * client + offset[1])
        rank = torch.searchsorted(self.reference, mean.contiguous()).clamp(0, 100)
        physics, learning = (
            torch.stack([getattr(one, name) for one in readings]).mean(0) for name in ("by_physics", "by_learning")
        )
        profile = torch.stack([one.region for one in readings]).mean(0).sigmoid() * middle[:, None]
        disorder = torch.stack([one.disorder for one in readings]).mean(0)
        seen, contacts = (
            torch.stack([getattr(one.view, name) for one in readings]).mean(0)
            for name in ("descriptors", "contacts")
        )
        shares = torch.stack([one.shares for one in readings]).mean(0)
        saturation = torch.stack([one.view.log_saturation for one in readings]).mean(0)
        for row, (name, sequence) in enumerate(asked):
            yield Verdict(
                name=name,
                sequence=sequence,
                driver=float(middle[row]),
                driver_low=float(low[row]),
                driver_high=float(high[row]),
                client=float(recruited[row]),
                percentile=float(rank[row]),
                saturation=micromolar(float(saturation[row])),
                by_physics=float(physics[row]),
                by_learning=float(learning[row]),
                descriptors=dict(zip(DESCRIPTORS, seen[row].tolist(), strict=True)),
                shares=dict(zip(DESCRIPTORS, shares[row].tolist(), strict=True)),
                contacts=dict(zip(self.physics.fragments.names, contacts[row].tolist(), strict=True)),
                profile=profile[row, : len(sequence)],
                disorder=disorder[row, : len(sequence)],
            )

    def _take(self, tensors: dict[str, Tensor], source: Path) -> None:
        state = {name: value for name, value in self.state_dict().items() if _is_own(name)}
        renamed = {_stored_name(name): name for name in state}
        missing, extra = renamed.keys() - tensors.keys(), tensors.keys() - renamed.keys() - _ROWS
        if missing - _ROWS or extra:
            raise FormatError(source, f"has other tensors: {sorted(missing ^ extra)[:3]}", "train it anew")
        self.load_state_dict({name: tensors[key] for key, name in renamed.items() if key in tensors}, strict=False)
        self.calibration.copy_(torch.stack((tensors["calibration.driver"], tensors["calibration.client"])))
        self.reference.copy_(tensors["reference.driver"])


_ROWS = {
    "calibration",
    "reference",
    "calibration.driver",
    "calibration.client",
    "reference.driver",
    "reference.client",
}


def _is_own(name: str) -> bool:
    """Not what members share, nor the force field, which ships with motet."""
    return ".physics." not in name and not name.startswith("physics.fragments.")


def _stored_name(name: str) -> str:
    return name.removeprefix("physics.")


def batches_of(
    lengths: Sequence[int], order: Sequence[int] | None = None, *, area: int = AREA, most: int = 64
) -> Iterator[list[int]]:
    """Neighbours in an order (of length by default) together: `most` of them, of `area` residues² at most."""
    chunk: list[int] = []
    for index in order if order is not None else sorted(range(len(lengths)), key=lambda i: lengths[i]):
        if chunk and ((len(chunk) + 1) * lengths[index] ** 2 > area or len(chunk) >= most):
            yield chunk
            chunk = []
        chunk.append(index)
    if chunk:
        yield chunk
