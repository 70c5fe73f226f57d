"""The fit of the stability model and its validation: families never part between training and test."""

import itertools
from collections.abc import Callable

import numpy as np
from ddg_data import Examples
from scipy.optimize import lsq_linear

FOLDS, INNER = 10, 5
FIELD, SITES = ("terms", "reference"), ("reference", "environment", "rarity")
BOTH = ("terms", *SITES)
# Ridge strengths, in examples; the best of all combinations is chosen without a look at the test family.
GRID = {
    "terms": (30.0, 300.0),
    "reference": (10.0, 30.0),
    "environment": (2000.0, 10000.0),
    "rarity": (1.0,),
}
CONSISTENCY = 2.0  # weight of what forth and back add up to, beside the errors
SIGNED = ("terms", "rarity")  # what is more likely in physics or in nature is not less stable
BASELINE_RIDGE = 100.0

Predictor = Callable[[Examples], np.ndarray]


def fitted(
    train: Examples, blocks: tuple[str, ...], doubts: Examples
) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """Coefficients of each block of features, and the ridge strengths they were found with.

    Doubts are what the features forth and back add up to, where nothing is right; those of families that are not
    trained on are left out.
    """
    fold = folds_of(train.family, INNER)

    def error(strengths: dict[str, float]) -> float:
        predicted = np.zeros(len(train.measured))
        for k in range(INNER):
            coefficients = solved(train.part(fold != k), strengths, doubts)
            predicted[fold == k] = weighed(train.part(fold == k), coefficients)
        return float(np.square(predicted - train.measured).mean())

    choices = [dict(zip(blocks, one, strict=True)) for one in itertools.product(*(GRID[name] for name in blocks))]
    best = min(choices, key=error)
    return solved(train, best, doubts), best


def solved(train: Examples, strengths: dict[str, float], doubts: Examples) -> dict[str, np.ndarray]:
    """Ridge regression without intercept; weights of terms and of the network are not negative.

    Every example enters with its inverse, which is why there can be no intercept and why nothing needs doubling.
    """
    blocks = {name: getattr(train, name) for name in strengths}
    x = np.concatenate(list(blocks.values()), axis=1)
    widths = [block.shape[1] for block in blocks.values()]
    ridge = np.repeat(list(strengths.values()), widths)
    lower = np.repeat([0.0 if name in SIGNED else -np.inf for name in blocks], widths)
    doubts = doubts.part(np.isin(doubts.family, train.family))
    wrong = np.concatenate([getattr(doubts, name) for name in strengths], axis=1)
    weight = CONSISTENCY * len(x) / max(len(wrong), 1)
    # The normal equations as least squares: their Cholesky factor has as many rows as there are unknowns.
    factor = np.linalg.cholesky(x.T @ x + weight * wrong.T @ wrong + np.diag(ridge))
    found = lsq_linear(factor.T, np.linalg.solve(factor, x.T @ train.measured), bounds=(lower, np.inf)).x
    return dict(zip(blocks, np.split(found, np.cumsum(widths)[:-1]), strict=True))


def weighed(examples: Examples, coefficients: dict[str, np.ndarray]) -> np.ndarray:
    """Predicted ΔΔG, in kcal/mol."""
    return sum((getattr(examples, name) @ one for name, one in coefficients.items()), np.zeros(len(examples.rows)))


def model_of(doubts: Examples, *blocks: str) -> Callable[[Examples], Predictor]:
    """A fit of the stability model with some of its parts."""

    def fit(train: Examples) -> Predictor:
        coefficients, _ = fitted(train, blocks, doubts)
        return lambda examples: weighed(examples, coefficients)

    return fit


def baseline(train: Examples) -> Predictor:
    """Ridge on residue types, burial, changes of volume and hydropathy, with intercept: what has to be beaten."""
    ridge = np.full(train.baseline.shape[1], BASELINE_RIDGE)
    ridge[-1] = 1e-6
    x = train.baseline
    found = np.linalg.solve(x.T @ x + np.diag(ridge), x.T @ train.measured)
    return lambda examples: examples.baseline @ found


def validated(
    fit: Callable[[Examples], Predictor], all_of_it: Examples, others: dict[str, Examples]
) -> dict[str, np.ndarray]:
    """Predictions of S2648 and of every other set, each by a model that never met the example's family."""
    fold = folds_of(all_of_it.family, FOLDS)
    own = np.zeros(len(fold))
    whole = fit(all_of_it)
    predicted = {name: whole(one) for name, one in others.items()}
    for k in range(FOLDS):
        predict = fit(all_of_it.part(fold != k))
        own[fold == k] = predict(all_of_it.part(fold == k))
        for name, one in others.items():
            met = np.isin(one.family, all_of_it.family[fold == k])
            predicted[name][met] = predict(one)[met]
    return {"S2648": own, **predicted}


def folds_of(family: np.ndarray, count: int) -> np.ndarray:
    """A fold for each example, families together, the largest first into the emptiest."""
    names, sizes = np.unique(family, return_counts=True)
    filled, fold = np.zeros(count), {}
    for which in np.argsort(-sizes, kind="stable"):
        fold[names[which]] = int(filled.argmin())
        filled[fold[names[which]]] += sizes[which]
    return np.array([fold[name] for name in family])
