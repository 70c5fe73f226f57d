"""How states, conformations and chains are called: by the numbers that stand in the files beside the report."""


def state_number(label: int) -> str:
    """Number of a state, as in `states.csv` and `state-0.pdb`."""
    return str(label)


def state_name(label: int) -> str:
    """A state in words."""
    return f"state {state_number(label)}"


def conformation_name(index: int) -> str:
    """A conformation in words, numbered as the rows of `ensemble.csv` and the frames of `samples.xtc`."""
    return f"conformation {index}"


def replica_name(replica: int) -> str:
    """An independent chain of the sampler, in words, numbered as in `ensemble.csv`."""
    return f"replica {replica}"


def term_name(term: str) -> str:
    """An energy term in words."""
    return term.replace("_", " ")
