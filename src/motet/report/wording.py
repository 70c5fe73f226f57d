"""The sentences of the report: what was made, what came out, and how far to believe it."""

import math
from dataclasses import dataclass

from ..ensemble import Analysis, Ensemble
from .names import conformation_name, state_name
from .numbers import count, percent_with_error, plain, significant, with_error

_GENERATORS = {
    "langevin": "Langevin dynamics",
    "montecarlo": "torsion Monte Carlo",
    "alphafold2": "AlphaFold2 on many views of an alignment",
    "file": "reading a file",
    "predictions": "a structure predictor",
    "loop": "loop building",
    "modes": "draws along soft modes",
    "flow": "the learned flow",
    "both": "torsion Monte Carlo from what the learned flow drew",
}


@dataclass(frozen=True)
class _Unweighed:
    """What is said of conformations whose shares are no populations.

    Args:
        made: How many of what there are.
        trust: How far to believe it.
        weighting: What the weights are; nothing where it depends.
    """

    made: str
    trust: str
    weighting: str = ""


_UNWEIGHED = {
    "predictions": _Unweighed(
        "{models} of {protein} have a state.",
        "Shares are frequencies of these predictions, not Boltzmann populations; no model was ranked by pLDDT.",
        "Every model counts the same: shares are frequencies of proposals, which say how often the predictor gave "
        "a shape and not how much of the protein has it.",
    ),
    "loop": _Unweighed(
        "motet built {conformations} of a loop of {protein}.",
        "They are candidates, best first: shares say how often a shape was built, and no more.",
        "Loops were closed from random torsions where there is room, and those most like native loops were kept: "
        "every one counts the same, and shares are no populations.",
    ),
    "modes": _Unweighed(
        "motet made {conformations} of {protein} along the soft modes of an elastic network.",
        "They are proposals about the start, as wide as was asked: shares are no populations.",
        "The network says which way is soft and not how often the protein goes there: every conformation counts "
        "the same, and shares are frequencies of proposals, no populations.",
    ),
    "flow": _Unweighed(
        "motet made {conformations} of {protein} by the learned flow.",
        "They are proposals of a network that knows no energies: shares are no populations.",
        "The network knows neither energies nor the density that it draws from: every conformation counts the "
        "same, and shares are frequencies of proposals, no populations.",
    ),
    "file": _Unweighed(
        "{conformations} of {protein} were read from a file.",
        "Nothing is known of how they were drawn, so their shares are shares of the file and no more.",
    ),
}
PROPOSALS = tuple(name for name, said in _UNWEIGHED.items() if said.weighting)


def verdict(analysis: Analysis) -> list[str]:
    """The whole report in a few plain sentences."""
    return [_made(analysis), _found(analysis), _moves(analysis), _trust(analysis)]


def _made(analysis: Analysis) -> str:
    ensemble, provenance = analysis.ensemble, analysis.ensemble.provenance
    topology, many = ensemble.structure.topology, len(ensemble)
    size = f"{count(topology.n_residues, 'residue')}, {count(topology.n_atoms, 'atom')}"
    protein, conformations = f"{ensemble.structure.name} ({size})", count(many, "conformation")
    if said := _UNWEIGHED.get(provenance.generator):
        models = count(many, "predicted model")
        return said.made.format(models=models, conformations=conformations, protein=protein)
    how = f"{generator_name(provenance.generator)} at {plain(provenance.temperature)}\u00a0K"
    return f"motet made {conformations} of {protein} by {how}."


def _found(analysis: Analysis) -> str:
    states = analysis.states.states
    if len(states) == 1:
        spread = significant(states[0].spread, 2)
        return f"They form one state, with a spread of {spread}\u00a0Å about its representative."
    shares = [
        f"{state_name(s.label)} holds {percent_with_error(s.population, s.population_error)}" for s in states[:3]
    ]
    others = f", and {count(len(states) - 3, 'more holds', 'more hold')} the rest" if len(states) > 3 else ""
    return f"They fall into {count(len(states), 'state')}: {', '.join(shares)}{others}."


def _moves(analysis: Analysis) -> str:
    rmsf, labels = analysis.observables.rmsf, analysis.observables.residue_labels
    top = int(rmsf.argmax())
    return (
        f"Residues fluctuate by {significant(float(rmsf.mean()), 2)}\u00a0Å on average, most of all {labels[top]} "
        f"with {significant(float(rmsf[top]), 2)}\u00a0Å."
    )


def _trust(analysis: Analysis) -> str:
    quality = analysis.quality
    if said := trust_unweighed(analysis.ensemble):
        return said
    if quality.converged:
        return "The independent replicas agree: the sampling looks converged for what was followed."
    if not any(math.isfinite(one.r_hat) for one in quality.diagnostics):
        return "There are too few conformations to tell whether the sampling has converged: read them as examples."
    return (
        "The sampling is not converged: independent replicas do not agree yet, "
        "so read the populations as those of this sample, not of the protein."
    )


def trust_unweighed(ensemble: Ensemble) -> str:
    """How far to believe shares that are no populations; nothing of others."""
    said = _UNWEIGHED.get(ensemble.provenance.generator)
    return said.trust if said else ""


def generator_name(name: str) -> str:
    """What made the conformations, in words."""
    return _GENERATORS.get(name, f"the generator “{name}”")


def tiles(analysis: Analysis) -> list[tuple[str, str, str]]:
    """The few numbers to see first: what, how much, and in which unit or of how many."""
    ensemble, observables = analysis.ensemble, analysis.observables
    first = analysis.states.states[0]
    fewest = min((d.effective_samples for d in analysis.quality.diagnostics), default=float("nan"))
    gyration, weights = observables.radius_of_gyration.double().cpu(), ensemble.weights.double().cpu()
    mean = float((weights * gyration).sum())
    spread = float((weights * (gyration - mean).square()).sum().sqrt())
    return [
        ("conformations", f"{len(ensemble):,}".replace(",", "\u202f"), f"worth about {fewest:.0f} independent"),
        (
            "states",
            str(len(analysis.states)),
            f"the largest holds {percent_with_error(first.population, first.population_error)}",
        ),
        (
            "mean RMSF",
            f"{significant(float(observables.rmsf.mean()), 2)}\u00a0Å",
            f"up to {significant(float(observables.rmsf.max()), 2)}\u00a0Å",
        ),
        ("radius of gyration", f"{significant(mean, 3)}\u00a0Å", f"± {significant(spread, 1)}\u00a0Å"),
    ]


def weighting(ensemble: Ensemble) -> str:
    """How the weights were made, and what may be concluded from them."""
    said = _UNWEIGHED.get(ensemble.provenance.generator)
    if said and said.weighting:
        return said.weighting
    temperature = f"{plain(ensemble.provenance.temperature)}\u00a0K"
    match ensemble.provenance.weighting:
        case "sampled":
            return (
                f"The generator draws from Boltzmann's law at {temperature}, so every conformation has the same "
                "weight; weighing by energy again would count it twice."
            )
        case "reweighted":
            return (
                f"Weights are exp(−ΔE/kT) at {temperature} over the density that proposed the conformations, "
                "normalised to 1."
            )
        case "given":
            return (
                "Weights came with the conformations and no claim is made that they follow Boltzmann's law; free "
                f"energies are −kT ln p at {temperature} of those weights."
            )


def relaxation(ensemble: Ensemble) -> str:
    """What was done to each draw, where anything was."""
    settings = ensemble.provenance.settings
    steps = int(settings.get("relax_steps", 0))
    if not steps:
        return ""
    return (
        f" Each draw was then relaxed by at most {count(steps, 'step')} of minimisation, which takes out the "
        "strain of bonds and clashes; energies are those of relaxed conformations, without their vibration."
    )


def state_count(analysis: Analysis) -> str:
    """How the number of states was chosen."""
    states = analysis.states
    why = (
        f"One state: {states.reason}." if len(states) == 1 else f"{states.reason[:1].upper()}{states.reason[1:]}."
    )
    tried = ", ".join(f"{significant(value, 2)} for {number}" for number, value in sorted(states.tried.items()))
    return (why if states.reason else "") + (f" Mean silhouette: {tried}." if tried else "")


def soundness(analysis: Analysis) -> str:
    """How well the conformations keep to covalent geometry."""
    bonds, pairs = analysis.soundness.worst_bond, analysis.soundness.closest_pair
    longest, nearest = significant(float(bonds.max()), 2), significant(float(pairs.min()), 3)
    return (
        f"Geometry: the worst bond between heavy atoms is {longest}\u00a0Å off its ideal length, in "
        f"{conformation_name(int(bonds.argmax()))}; the nearest two heavy atoms more than two bonds apart are "
        f"{nearest}\u00a0Å apart, in {conformation_name(int(pairs.argmin()))}."
    )


def difference(value: float, error: float) -> str:
    """A free energy over that of the most populated state, which is 0 by definition."""
    return "0" if value == 0 and error == 0 else with_error(value, error)
