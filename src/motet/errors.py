"""What a user can get wrong: each error says who, what, why, and what to do next."""


class MotetError(Exception):
    """Base of every error that motet raises for a mistake in the request or in the input."""


class FormatError(MotetError, ValueError):
    """A file cannot be read as what it claims, or is asked, to be.

    Args:
        source: The file, as the user named it.
        reason: What is wrong with it.
        remedy: What to do about it.
    """

    def __init__(self, source: object, reason: str, remedy: str) -> None:
        self.source, self.reason, self.remedy = str(source), reason, remedy
        super().__init__(f"{source}: {reason}; {remedy}")


class SelectionError(MotetError, ValueError):
    """A selection cannot be parsed, or selects nothing."""

    def __init__(self, expression: str, reason: str) -> None:
        self.expression, self.reason = expression, reason
        super().__init__(
            f"selection {expression!r}: {reason}; write for example `chain A and 10-50` or `backbone`."
        )


class MissingAtomsError(MotetError, ValueError):
    """A residue lacks atoms that the question needs."""

    def __init__(self, residue: str, missing: tuple[str, ...], needed_for: str) -> None:
        self.residue, self.missing = residue, missing
        super().__init__(
            f"{residue} has no {', '.join(missing)}, so {needed_for} cannot be computed. "
            "Build the missing atoms with `structure.completed()`, or leave the residue out."
        )


class NoProteinError(MotetError, ValueError):
    """A structure holds no protein residue, and the question is about proteins."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"{name}: holds no protein residue; give a structure with a protein chain.")


class MutationError(MotetError, ValueError):
    """A mutation does not fit the structure, or the sequence."""

    def __init__(
        self, mutation: str, reason: str, how: str = "write it as chain, wild type, number, new: A:L14A"
    ) -> None:
        self.mutation, self.reason = mutation, reason
        super().__init__(f"mutation {mutation!r}: {reason}; {how}.")


class ConfigError(MotetError, ValueError):
    """A setting is out of range, or two settings contradict each other."""


class TopologyMismatchError(MotetError, ValueError):
    """Coordinates, a topology and a trajectory that should describe the same atoms do not."""

    def __init__(self, expected: int, found: int, where: str) -> None:
        self.expected, self.found = expected, found
        super().__init__(
            f"{where}: {found} atoms where the topology has {expected}; "
            "give the topology that the coordinates were written with."
        )


class NonFiniteError(MotetError, ValueError):
    """A coordinate is infinite or not a number."""

    def __init__(self, what: str) -> None:
        self.what = what
        super().__init__(
            f"{what}: a coordinate is infinite or not a number; "
            "look for the step that made it (a time step that is too long, an atom without a place in the file)."
        )


class DegenerateLoopError(MotetError, ValueError):
    """A rigid body of a loop lies on its own axis, so that it turns without moving the loop's ends."""

    def __init__(self, which: int, body: str) -> None:
        self.which, self.body = which, body
        super().__init__(
            f"loop closure {which}: the bonds of {body} lie on the line through its Cα atoms, so that one torsion "
            "is free and there is no finite set of solutions; take another residue as hinge."
        )


class LoopError(MotetError, ValueError):
    """A loop cannot be built between its fixed ends."""

    def __init__(self, length: int, reason: str) -> None:
        self.length, self.reason = length, reason
        super().__init__(
            f"a loop of length {length} cannot be closed: {reason}; check the numbers of its residues, "
            "or make the loop longer at either end."
        )


class LoopRegionError(MotetError, ValueError):
    """A text names no loop of the structure."""

    def __init__(self, residues: str, reason: str) -> None:
        self.residues, self.reason = residues, reason
        super().__init__(f"loop {residues!r}: {reason}; write chain and first and last residue: A:12-23.")


class OutputExistsError(MotetError, FileExistsError):
    """The output is already there and nobody asked to replace it."""

    def __init__(self, path: object) -> None:
        self.path = path
        super().__init__(f"{path}: already exists; choose another --out, or pass --overwrite.")


class ResumeError(MotetError):
    """The output directory holds an unfinished run that is not this one."""

    def __init__(self, directory: object, changed: tuple[str, ...]) -> None:
        self.directory, self.changed = directory, changed
        super().__init__(
            f"{directory}: holds an unfinished run with another {', '.join(changed)}; "
            "repeat that command to finish it, choose another --out, or pass --overwrite."
        )


class MissingExtraError(MotetError, ImportError):
    """A feature needs a package that is not installed."""

    def __init__(self, package: str, extra: str) -> None:
        self.package, self.extra = package, extra
        super().__init__(f"this needs {package}; install it with `pip install 'motet[{extra}]'`.")


class ConvergenceError(MotetError, RuntimeError):
    """An iteration ended before it reached its answer."""

    def __init__(self, what: str, state: str, remedy: str) -> None:
        self.what, self.state, self.remedy = what, state, remedy
        super().__init__(f"{what} has not converged: {state}; {remedy}.")


class TooFewPointsError(MotetError, ValueError):
    """More clusters are asked for than there are distinct points."""

    def __init__(self, clusters: int, distinct: int) -> None:
        self.clusters, self.distinct = clusters, distinct
        super().__init__(
            f"{clusters} clusters of {distinct} distinct point{'s' if distinct > 1 else ''}: "
            "ask for fewer clusters, or give more points."
        )


class MissingWeightsError(MotetError, FileNotFoundError):
    """A network is asked for whose weights are not on this machine."""

    def __init__(self, model: str, folder: object, there: tuple[str, ...]) -> None:
        self.model, self.folder, self.there = model, str(folder), there
        others = f" (there are {', '.join(there)})" if there else ""
        super().__init__(
            f"the weights of {model} are not in {folder}{others}; motet ships none. With a network: "
            f"`motet weights fetch alphafold2 --model {model}`. Without: take params_{model}.npz from the "
            "official archive alphafold_params_2022-12-06.tar (DeepMind, CC BY 4.0) and run "
            f"`motet weights add params_{model}.npz`, or give the archive itself."
        )
