"""The recorded reference: what the original network computes on random parameters (shared/data/fold/README.md)."""

import importlib.util
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from motet.fold import AlphaFold, AlphaFoldConfig, Features, Templates, preset
from motet.fold.weights import model_of, our_parameters

PARITY_MODEL, MODULES_MODEL = "model_3_ptm", "model_1_ptm"
SEED = 5


class Recording:
    """A bundle of recorded arrays: the key may carry @4, @2 (every nth pair) or @r4 (every fourth residue)."""

    def __init__(self, path: Path) -> None:
        with np.load(path) as file:
            self.arrays = {name: file[name] for name in file.files}

    def __getitem__(self, name: str) -> np.ndarray:
        return self.arrays[name]

    def under(self, prefix: str) -> list[str]:
        return [name for name in self.arrays if name.startswith(prefix)]

    def like_recorded(self, name: str, full: torch.Tensor) -> np.ndarray:
        """The part of our tensor that was recorded."""
        ours = full.detach().double().numpy()
        _, _, stride = name.partition("@")
        if not stride:
            return ours
        step = int(stride.lstrip("r").split("/")[0])
        return ours[:, ::step] if stride.startswith("r") else ours[::step, ::step]


def shallow(name: str) -> AlphaFoldConfig:
    config = preset(name)
    return replace(
        config, evoformer=replace(config.evoformer, blocks=2), extra_msa=replace(config.extra_msa, blocks=1)
    )


@pytest.fixture(scope="session")
def reference(shared) -> Path:
    return shared / "fold"


@pytest.fixture(scope="session")
def official_arrays(reference) -> Callable[..., dict[str, np.ndarray]]:
    """Random parameters in the official layout, as they were made for the recording."""
    spec = importlib.util.spec_from_file_location("random_params", reference / "random_params.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)

    def make(name: str, evoformer: int = 2, extra: int = 1, seed: int = SEED) -> dict[str, np.ndarray]:
        shapes = json.loads((reference / f"param_shapes_{name}.json").read_text())["shapes"]
        return script.random_params(script.with_depth(shapes, evoformer, extra), seed)

    return make


@pytest.fixture(scope="session")
def make_model(official_arrays) -> Callable[[str], AlphaFold]:
    def make(name: str) -> AlphaFold:
        config = shallow(name)
        return model_of(our_parameters(official_arrays(name), config, name), config)

    return make


@pytest.fixture(scope="session")
def recording(reference) -> Recording:
    return Recording(reference / "model_3_ptm_e2x1_L91.npz")


@pytest.fixture(scope="session")
def modules(reference) -> Recording:
    return Recording(reference / "modules_model_1_ptm_e2x1_L12.npz")


def features_of(recording: Recording, dtype: torch.dtype) -> Features:
    def whole(name: str) -> torch.Tensor:
        return torch.from_numpy(recording["in/" + name])

    def real(name: str) -> torch.Tensor:
        return whole(name).to(dtype)

    templates = None
    if "in/template_aatype" in recording.arrays:
        templates = Templates(
            residue_types=whole("template_aatype"),
            positions=real("template_all_atom_positions"),
            atom_presence=real("template_all_atom_masks"),
            presence=real("template_mask"),
        )
    return Features(
        residue_types=whole("aatype"),
        residue_index=whole("residue_index"),
        residue_presence=real("seq_mask"),
        target=real("target_feat"),
        msa=real("msa_feat"),
        msa_presence=real("msa_mask"),
        extra_types=whole("extra_msa"),
        extra_has_deletion=real("extra_has_deletion"),
        extra_deletions=real("extra_deletion_value"),
        extra_presence=real("extra_msa_mask"),
        templates=templates,
    )


def assert_as_recorded(name: str, ours: np.ndarray, recorded: np.ndarray, allowed: float | None = None) -> None:
    """Within `allowed`; else (float64) within 1e-8 of scale, beside the rounding of what is stored in float32."""
    theirs = recorded.astype(np.float64)
    assert ours.shape == theirs.shape, name
    bound = np.full(theirs.shape, allowed or 1e-8 * max(1.0, np.abs(theirs).max()))
    if recorded.dtype == np.float32:
        bound += np.abs(theirs) * 2**-24
    off = np.abs(ours - theirs)
    assert (off <= bound).all(), f"{name}: off by {off.max():.2e}, scale {np.abs(theirs).max():.3g}"
