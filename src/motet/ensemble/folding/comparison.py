"""What each perturbation found, beside its control."""

from dataclasses import dataclass

from .production import FoldedEnsemble


@dataclass(frozen=True)
class Group:
    """Members of one perturbation, or of the control of it.

    Args:
        perturbation: Its name.
        control: Whether these are the matched-depth random subsets.
        members: Number of members.
        plddt: Their mean pLDDT.
        spread: Mean Cα RMSD between them, in Å.
        states: Members in each state.
    """

    perturbation: str
    control: bool
    members: int
    plddt: float
    spread: float
    states: tuple[int, ...]

    @property
    def label(self) -> str:
        """Its name, for a table."""
        return f"{self.perturbation}, random rows" if self.control else self.perturbation


def compared(made: FoldedEnsemble) -> tuple[Group, ...]:
    """A group a perturbation, each followed by its control."""
    keys = dict.fromkeys((one.perturbation, one.control) for one in made.members)
    order = sorted(keys, key=lambda key: ([name for name, _ in keys].index(key[0]), key[1]))
    return tuple(_group(made, name, control) for name, control in order)


def _group(made: FoldedEnsemble, name: str, control: bool) -> Group:
    mine = [i for i, one in enumerate(made.members) if (one.perturbation, one.control) == (name, control)]
    among = made.analysis.observables.pairwise_rmsd[mine][:, mine]
    pairs = len(mine) * (len(mine) - 1)
    labels = made.labels[mine]
    states = tuple(int((labels == state).sum()) for state in range(len(made.analysis.states)))
    plddt = sum(float(made.sampled[i].plddt.mean()) for i in mine) / len(mine)
    return Group(name, control, len(mine), plddt, float(among.sum()) / pairs if pairs else 0.0, states)
