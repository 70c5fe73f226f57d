"""The anisotropic network model, the trivial peer of ensembles: soft modes, and conformations along them.

Source: Atilgan et al., Biophys. J. 80 (2001) 505.
"""

import numpy as np

MODES = 20
REACH = 15.0  # Å: length of the springs


def soft_modes(carbons: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Stiffness and direction of the softest internal modes, from Cα positions in Å."""
    apart = carbons[:, None] - carbons
    squared = (apart**2).sum(-1)
    near = (squared < REACH**2) & (squared > 0)
    blocks = -np.einsum("ijx,ijy->ijxy", apart, apart) * (near / np.where(near, squared, 1))[..., None, None]
    index = np.arange(len(carbons))
    blocks[index, index] = -blocks.sum(1)
    hessian = blocks.transpose(0, 2, 1, 3).reshape(3 * len(carbons), -1)
    values, vectors = np.linalg.eigh(hessian)
    return values[6 : 6 + MODES], vectors[:, 6 : 6 + MODES]


def along(
    carbons: np.ndarray,
    modes: tuple[np.ndarray, np.ndarray],
    amplitude: float,
    count: int,
    random: np.random.Generator,
) -> np.ndarray:
    """Conformations with thermal proportions of the modes, and this mean RMSD, in Å."""
    values, vectors = modes
    moves = (random.normal(size=(count, len(values))) / np.sqrt(values) @ vectors.T).reshape(count, -1, 3)
    return carbons + moves * amplitude / np.sqrt((moves**2).sum(-1).mean(-1)).mean()
