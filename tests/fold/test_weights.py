from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch

from motet.errors import ConfigError, FormatError, MotetError
from motet.fold import PRESETS, AlphaFold, from_npz, from_safetensors, preset, to_npz, to_safetensors, weights
from motet.fold.parameters import PARAMETERS, entries, names, official_shape
from motet.fold.weights import our_parameters, without_weights

from .conftest import MODULES_MODEL, PARITY_MODEL, shallow


@pytest.fixture(scope="module")
def official(official_arrays, tmp_path_factory):
    """An official file, as shallow as the recorded bundle."""
    path = tmp_path_factory.mktemp("weights") / "params_model_1_ptm.npz"
    np.savez(path, **official_arrays(MODULES_MODEL))
    return path


@pytest.mark.parametrize("name", ["model_1", "model_3", "model_1_ptm", "model_3_ptm"])
def test_every_parameter_of_every_model_has_one_official_place(name):
    """Stacks at full depth: 48 and 4 blocks."""
    config = PRESETS[name]
    model = without_weights(config)
    ours = Counter(one for entry in entries(config) for one in names(entry, config))
    assert set(ours.values()) == {1}
    assert set(ours) == {one for one, _ in model.named_parameters()}
    sizes = sum(np.prod(official_shape(entry, config)) for entry in entries(config))
    assert sizes == sum(parameter.numel() for parameter in model.parameters())


@pytest.mark.parametrize(("name", "count"), [("model_1_ptm", 93_237_338), ("model_3_ptm", 92_907_930)])
def test_models_have_the_published_size(name, count):
    assert sum(parameter.numel() for parameter in without_weights(preset(name)).parameters()) == count


@pytest.mark.parametrize("name", [MODULES_MODEL, PARITY_MODEL])
def test_names_and_shapes_are_those_of_the_official_files(name, reference):
    import json

    shapes = json.loads((reference / f"param_shapes_{name}.json").read_text())["shapes"]
    config = preset(name)
    assert {entry.official: list(official_shape(entry, config)) for entry in entries(config)} == shapes


def test_the_reference_parameters_are_the_recorded_ones(official_arrays, reference):
    """Otherwise parity would prove nothing."""
    import hashlib
    import json

    recorded = json.loads((reference / "params_sha256.json").read_text())
    for name in (PARITY_MODEL, MODULES_MODEL):
        digest = hashlib.sha256()
        arrays = official_arrays(name)
        for key in sorted(arrays):
            digest.update(key.encode())
            digest.update(arrays[key].tobytes())
        assert digest.hexdigest() == recorded[f"{name}_e2x1_seed5"]


def test_official_to_ours_to_official_is_equal_bit_by_bit(official, tmp_path):
    to_npz(from_npz(official, shallow(MODULES_MODEL)), tmp_path / "back.npz")
    with np.load(official) as before, np.load(tmp_path / "back.npz") as after:
        assert set(before.files) == set(after.files)
        for name in before.files:
            assert before[name].tobytes() == after[name].tobytes(), name
            assert before[name].shape == after[name].shape, name


def test_arrays_that_no_output_depends_on_are_read_too(official, official_arrays):
    """They add a constant to the logits of a head, so that no test of outputs could see them missing."""
    model, arrays = from_npz(official, shallow(MODULES_MODEL)), official_arrays(MODULES_MODEL)
    prefix = "alphafold/alphafold_iteration/"
    norm = arrays[prefix + "evoformer/evoformer_iteration/msa_row_attention_with_pair_bias/feat_2d_norm//offset"]
    assert torch.equal(model.trunk.evoformer.blocks[1].row_attention.norm_pair.bias, torch.from_numpy(norm[1]))
    bias = arrays[prefix + "structure_module/fold_iteration/invariant_point_attention/attention_2d//bias"]
    assert torch.equal(model.structure_module.step.attention.to_bias.bias, torch.from_numpy(bias))


def test_left_and_right_change_places_in_incoming_multiplications(official, official_arrays):
    model, arrays = from_npz(official, shallow(MODULES_MODEL)), official_arrays(MODULES_MODEL)
    scope = "alphafold/alphafold_iteration/evoformer/extra_msa_stack/triangle_multiplication_"
    pair = model.trunk.extra_msa.stack.blocks[0].pair
    right = torch.from_numpy(arrays[scope + "incoming/right_projection//weights"][0].T)
    assert torch.equal(pair.multiply_incoming.to_left.weight, right)
    left = torch.from_numpy(arrays[scope + "outgoing/left_projection//weights"][0].T)
    assert torch.equal(pair.multiply_outgoing.to_left.weight, left)


def refused(path, match, config=None):
    with pytest.raises(FormatError, match=match) as caught:
        from_npz(path, config or shallow(MODULES_MODEL))
    assert isinstance(caught.value, MotetError)


def test_a_file_that_is_cut_short_is_refused(official, tmp_path):
    data = official.read_bytes()
    for end in (0, 10, len(data) // 2, len(data) - 100):
        (tmp_path / "short.npz").write_bytes(data[:end])
        refused(tmp_path / "short.npz", "is no whole npz file")


def test_a_flipped_byte_is_noticed(official, tmp_path):
    data = bytearray(official.read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "flipped.npz").write_bytes(data)
    refused(tmp_path / "flipped.npz", "is no whole npz file")


def test_a_file_that_is_not_there_or_no_archive_is_refused(tmp_path):
    refused(tmp_path / "none.npz", "is not there")
    (tmp_path / "text.npz").write_text("hello")
    refused(tmp_path / "text.npz", "is no whole npz file")
    np.save(tmp_path / "one.npy", np.zeros(3))
    refused(tmp_path / "one.npy", "is no whole npz file")


def test_objects_in_a_file_are_never_unpickled(tmp_path):
    np.savez(tmp_path / "objects.npz", x=np.array([{"a": 1}], dtype=object))
    refused(tmp_path / "objects.npz", "is no whole npz file")


KEY = "alphafold/alphafold_iteration/evoformer/extra_msa_activations//weights"


def spoilt(official_arrays, **arrays):
    """All arrays but those replaced, or (None) left out."""
    every = official_arrays(MODULES_MODEL) | {KEY if name == "key" else name: one for name, one in arrays.items()}
    return {name: array for name, array in every.items() if array is not None}


@pytest.mark.parametrize(
    ("arrays", "match"),
    [
        ({"key": np.full((25, 64), np.nan, np.float32)}, "extra_msa_activations//weights that are not finite"),
        ({"key": np.full((25, 64), np.inf, np.float32)}, "extra_msa_activations//weights that are not finite"),
        ({"key": np.zeros((64, 25), np.float32)}, r"of shape \(64, 25\), not \(25, 64\)"),
        ({"key": np.zeros((25, 64))}, "as float64, not float32"),
        ({"key": None}, "lacks 1 arrays"),
        ({"strange": np.zeros(1)}, "has 1 that this model has not"),
    ],
)
def test_arrays_that_are_not_the_model_s_are_refused(official_arrays, arrays, match):
    with pytest.raises(FormatError, match=match):
        our_parameters(spoilt(official_arrays, **arrays), shallow(MODULES_MODEL), "params.npz")


def test_the_file_of_another_model_is_refused_and_named(official):
    refused(official, "by its names it is one of model_1_ptm, model_2_ptm", shallow(PARITY_MODEL))
    refused(official, "of shape", preset(MODULES_MODEL))


def test_a_model_that_does_not_exist_is_refused():
    with pytest.raises(ConfigError, match="choose from model_1"):
        preset("model_6")


def test_converted_weights_say_where_they_come_from(official, tmp_path, monkeypatch):
    monkeypatch.setattr(weights, "preset", shallow)
    monkeypatch.setattr(weights, "PRESETS", {MODULES_MODEL: shallow(MODULES_MODEL)})
    out = tmp_path / "model_1_ptm.safetensors"
    record = to_safetensors(official, out, MODULES_MODEL)
    assert record.source == "params_model_1_ptm.npz"
    assert record.source_sha256 == weights.sha256(official)
    assert record.sha256 == weights.sha256(out)
    assert record == weights.record_of(out)
    loaded, direct = from_safetensors(out), from_npz(official, shallow(MODULES_MODEL))
    for name, parameter in direct.named_parameters():
        assert torch.equal(parameter, loaded.get_parameter(name))
    data = bytearray(out.read_bytes())
    data[-1] ^= 1
    out.write_bytes(data)
    with pytest.raises(FormatError, match="SHA-256 has changed"):
        from_safetensors(out)


def test_converted_weights_without_their_record_are_refused(tmp_path):
    (tmp_path / "x.safetensors").write_bytes(b"")
    with pytest.raises(FormatError, match="does not say where the weights come from"):
        from_safetensors(tmp_path / "x.safetensors")


def test_the_other_presets_differ_only_in_how_many_rows_they_read():
    for name, config in PRESETS.items():
        twin = PRESETS[("model_1" if config.templates else "model_3") + ("_ptm" if "ptm" in name else "")]
        assert replace(config, sampling=twin.sampling) == twin
        assert config.sampling.clusters == (508 if config.templates else 512)
        assert config.sampling.extra == (1024 if name.split("_")[1] in "25" else 5120)


def test_a_model_can_be_built_and_trained_from_nothing():
    torch.manual_seed(0)
    model = AlphaFold(shallow(PARITY_MODEL))
    assert all(parameter.requires_grad for parameter in model.parameters())
    assert len(PARAMETERS) == 338
