"""Two passes of the original AlphaFold2 (alphafold-colabfold on JAX), for `fold.py`, in its own environment."""

from collections.abc import Callable
from pathlib import Path

import jax
import numpy as np
from alphafold.model.config import model_config
from alphafold.model.data import get_model_haiku_params
from alphafold.model.model import RunModel

CLUSTERS, EXTRA, PASSES = 64, 128, 2


def folds(half: bool, residues: int, weights: Path) -> Callable[[], None]:
    """A fold of so many residues, as ColabFold calls it, with the official file in `weights`/params."""
    config = model_config("model_3_ptm")
    with config.unlocked():
        config.model.global_config.bfloat16 = half
        config.model.global_config.deterministic = True
        config.model.num_recycle = config.data.common.num_recycle = PASSES - 1
        config.model.recycle_early_stop_tolerance = 0.0
    runner = RunModel(config, get_model_haiku_params("model_3_ptm", str(weights)))
    features = random_features(residues)
    return lambda: jax.block_until_ready(runner.predict(features)[0]["distogram"]["logits"])


def random_features(residues: int) -> dict[str, np.ndarray]:
    """What the network reads, a copy a pass."""
    draws = np.random.default_rng(0)
    types = draws.integers(0, 20, residues)

    def ones(*shape: int) -> np.ndarray:
        return np.ones(shape, np.float32)

    one = {
        "aatype": types,
        "residue_index": np.arange(residues),
        "seq_length": np.array(residues),
        "is_distillation": np.float32(0),
        "seq_mask": ones(residues),
        "msa_mask": ones(CLUSTERS, residues),
        "msa_row_mask": ones(CLUSTERS),
        "atom14_atom_exists": ones(residues, 14),
        "residx_atom14_to_atom37": draws.integers(0, 37, (residues, 14)),
        "residx_atom37_to_atom14": draws.integers(0, 14, (residues, 37)),
        "atom37_atom_exists": ones(residues, 37),
        "extra_msa": draws.integers(0, 22, (EXTRA, residues)),
        "extra_msa_mask": ones(EXTRA, residues),
        "extra_msa_row_mask": ones(EXTRA),
        "bert_mask": ones(CLUSTERS, residues),
        "true_msa": draws.integers(0, 22, (CLUSTERS, residues)),
        "extra_has_deletion": 0 * ones(EXTRA, residues),
        "extra_deletion_value": 0 * ones(EXTRA, residues),
        "msa_feat": draws.random((CLUSTERS, residues, 49), np.float32),
        "target_feat": draws.random((residues, 22), np.float32).round(),
    }
    return {name: np.stack([value] * PASSES) for name, value in one.items()}
