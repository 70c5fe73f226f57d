"""What `motet ensemble` needs for the flow: the network, how far to disturb, and what the family looks like."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .alignments import holds_sequence, read_target
from .batch import digest, stem_of

if TYPE_CHECKING:
    from ..ensemble.flow import Flow
    from ..fold.flow_weights import FlowModel
    from ..io import Alignment
    from ..structure import Structure

# All noise, a longer way back, never less noise, and nothing to be seen of the stretched chain.
FROM_SEQUENCE = {"level": 0.99, "steps": 20, "calmer": 1.0, "doubt": None}


@dataclass(frozen=True)
class Start:
    """Where the flow begins.

    Args:
        structure: The atoms.
        alignment: The sequence with its family, where `structure` is only that sequence as a chain.
    """

    structure: "Structure"
    alignment: "Alignment | None" = None


@dataclass(frozen=True)
class Learned:
    """The flow network, what it is told, and what of that goes into the record."""

    model: "FlowModel"
    level: float | None
    alignment: "Alignment | None"
    arguments: dict[str, Any]

    @classmethod
    def of(cls, level: float | None, weights: Path | None, alignment: Path | None) -> "Learned":
        """The network, read before anything is written.

        Raises:
            ConfigError: The level is none, or there are no weights.
        """
        from ..errors import ConfigError
        from ..fold.flow_weights import load_flow

        if level is not None and not 0 < level < 1:
            raise ConfigError(f"--level {level:g} is not between 0 and 1.")
        told: dict[str, Any] = {"level": level, "weights": "shipped" if weights is None else digest(weights)}
        if alignment is None:
            return cls(load_flow(weights), level, None, told)
        return cls(load_flow(weights), level, read_target(alignment), told | {"alignment": digest(alignment)})

    def flow(self, start: Start, temperature: float, replicas: int) -> "Flow":
        """The generator."""
        from ..ensemble.flow import Flow

        how: dict[str, Any] = {} if start.alignment is None else dict(FROM_SEQUENCE)
        if self.level is not None:
            how["level"] = self.level
        if family := self.alignment or start.alignment:
            how["profile"] = _profile(family, start.structure)
        how |= {"temperature": temperature, "replicas": replicas}
        return Flow(structure=start.structure, model=self.model, **how)


def from_sequence(path: Path, device: str) -> Start | None:
    """The start of an input that is a sequence or an alignment; None where it is something else."""
    from ..ensemble.sequence_start import extended_chain
    from .loading import print_notes

    if not holds_sequence(path):
        return None
    alignment = read_target(path)
    chain = extended_chain(alignment.query, Path(stem_of(path)).stem).to(device)
    print_notes(chain.notes)
    return Start(chain, alignment)


def _profile(family: "Alignment", structure: "Structure") -> Any:
    """The columns of the residues that the network moves."""
    from ..ensemble.flow_frames import sequence_of
    from ..errors import ConfigError
    from ..fold.flow_inputs import profile_of

    if (found := sequence_of(structure.topology)) != family.query:
        raise ConfigError(
            f"the alignment's query has {len(family.query)} residues, the structure {len(found)} or others: "
            "give an alignment whose query is the sequence of the residues that have a backbone."
        )
    return profile_of(family) if family.depth > 1 else None
