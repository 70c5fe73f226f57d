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


_SETTINGS = {
    "timestep": "time step, fs",
    "friction": "friction, 1/ps",
    "burn_in": "steps or sweeps before the first conformation",
    "interval": "steps or sweeps between conformations",
    "twists": "concerted twists of a sweep",
    "steps": "leapfrog steps of a twist",
    "rungs": "temperatures of a replica",
    "hottest": "highest temperature, K",
    "minimise_steps": "steps of minimisation at the start, at most",
    "relax_steps": "steps of relaxation of each draw, at most",
}


def setting_name(setting: str) -> str:
    """A setting of the generator in words, with its unit where it is known."""
    return _SETTINGS.get(setting, setting.replace("_", " "))


def term_name(term: str) -> str:
    """An energy term in words."""
    return term.replace("_", " ")
