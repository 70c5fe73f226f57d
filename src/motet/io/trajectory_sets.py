"""A folder of simulations: each trajectory with the structure that names its atoms."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import FormatError
from .notebook import counted, listed, shown
from .opening import PathLike
from .predictions import STRUCTURES, bare

TRAJECTORIES = (".xtc", ".dcd")
COMMON_NAME = "topology"


@dataclass(frozen=True)
class Trajectory:
    """A trajectory and its topology, as files; a structure with many models is both.

    Args:
        topology: PDB or mmCIF file.
        frames: XTC or DCD file; None where the frames are the models of `topology`.
    """

    topology: Path
    frames: Path | None = None

    @property
    def name(self) -> str:
        """Stem of the file with the frames."""
        return (self.frames or self.topology).name.split(".")[0]

    @property
    def files(self) -> tuple[Path, ...]:
        """What there is to read."""
        return (self.topology,) if self.frames is None else (self.topology, self.frames)


def find_trajectories(folder: PathLike) -> list[Trajectory]:
    """The trajectories in a folder, each with the structure of its own name, or `topology`, or the only one there.

    Where a folder holds no XTC or DCD file, each structure in it is taken for a trajectory of models.

    Raises:
        FormatError: There is nothing to read, or a trajectory's structure cannot be told.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FormatError(shown(folder), "is no directory", "give one with PDB and XTC or DCD files")
    files = sorted(one for one in folder.iterdir() if one.is_file())
    structures = {_stem(one): one for one in reversed(files) if bare(one).suffix.lower() in STRUCTURES}
    moving = [one for one in files if one.suffix.lower() in TRAJECTORIES]
    if not structures:
        raise FormatError(shown(folder), "holds no PDB or mmCIF file", "put one beside the trajectories")
    if not moving:
        return [Trajectory(one) for _, one in sorted(structures.items())]
    return list(_paired(folder, moving, structures))


def _paired(folder: Path, moving: list[Path], structures: dict[str, Path]) -> Iterator[Trajectory]:
    only = next(iter(structures.values())) if len(structures) == 1 else None
    lost = []
    for one in moving:
        topology = structures.get(_stem(one)) or structures.get(COMMON_NAME) or only
        if topology is None:
            lost.append(one.name)
        else:
            yield Trajectory(topology, one)
    if lost:
        reason = f"holds {counted(len(structures), 'structure')}, none with the name of {listed(lost)}"
        raise FormatError(
            shown(folder), reason, "name each structure like its trajectory, or one of them topology"
        )


def _stem(path: Path) -> str:
    return bare(path).stem
