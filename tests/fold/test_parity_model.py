"""A whole pass against the original, tensor by tensor; what the recording is, see shared/data/fold/README.md."""

from collections import defaultdict
from contextlib import nullcontext

import numpy as np
import pytest
import torch

from motet.fold import Recycled
from motet.fold.heads import distogram_edges, error_edges
from motet.nn import fast_products

from .conftest import PARITY_MODEL, assert_as_recorded, features_of

# where the original's modules live here
WATCHED = {
    "evoformer/preprocess_1d": "trunk.input_embedder.target_to_msa",
    "evoformer/preprocess_msa": "trunk.input_embedder.msa",
    "evoformer/left_single": "trunk.input_embedder.target_to_left",
    "evoformer/right_single": "trunk.input_embedder.target_to_right",
    "evoformer/prev_pos_linear": "trunk.recycling_embedder.distances",
    "evoformer/prev_msa_first_row_norm": "trunk.recycling_embedder.norm_first_row",
    "evoformer/pair_activiations": "trunk.input_embedder.relative_position",
    "evoformer/extra_msa_activations": "trunk.extra_msa.embedder",
    "evoformer/single_activations": "trunk.to_single",
    "structure_module/fold_iteration/invariant_point_attention": "structure_module.step.attention",
    "structure_module/fold_iteration/affine_update": "structure_module.step.backbone_update",
    "structure_module/fold_iteration": "structure_module.step",
}
# ten times the noise floor of the original in float32
SINGLE_PRECISION = {
    "representations": 8e-5,
    "evoformer": 8e-5,
    "logits": 8e-5,
    "positions": 4e-4,
    "plddt": 2.5e-5,
    "ptm": 5e-7,
    "pae": 3e-4,
    "structure_module": 4e-4,
    "bin_edges": 1e-5,
    "breaks": 1e-5,
}


class Watch:
    """Every output of the watched modules, call by call."""

    def __init__(self, model):
        self.model, self.seen = model, defaultdict(list)
        self.handles = [self._hook(theirs, ours) for theirs, ours in WATCHED.items()]
        for number, block in enumerate(model.trunk.evoformer.blocks):
            self.handles.append(self._stack("evoformer/evoformer_iteration", number, block))
        for number, block in enumerate(model.trunk.extra_msa.stack.blocks):
            self.handles.append(self._stack("evoformer/extra_msa_stack", number, block))

    def _hook(self, theirs, ours):
        def keep(_module, _inputs, output):
            self.seen[theirs].append(output)

        return self.model.get_submodule(ours).register_forward_hook(keep)

    def _stack(self, theirs, number, block):
        def keep(_module, _inputs, output):
            self.seen[f"{theirs}#{number}/out/msa"], self.seen[f"{theirs}#{number}/out/pair"] = output

        return block.register_forward_hook(keep)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for handle in self.handles:
            handle.remove()


def outputs(prediction):
    """What the original returns, by its names."""
    known, folded = prediction.representations, prediction.folded
    aligned = prediction.aligned
    return {
        "representations/single": known.single,
        "representations/pair": known.pair,
        "representations/msa": known.msa,
        "representations/msa_first_row": known.first_row,
        "representations/structure_module": folded.single,
        "distogram/logits": prediction.distogram_logits,
        "distogram/bin_edges": distogram_edges(prediction.distogram_logits),
        "experimentally_resolved/logits": prediction.resolved_logits,
        "masked_msa/logits": prediction.masked_msa_logits,
        "structure_module/final_atom_positions": folded.positions,
        "structure_module/final_atom_mask": folded.atom_presence,
        "predicted_lddt/logits": prediction.lddt_logits,
        "predicted_aligned_error/logits": aligned.logits,
        "predicted_aligned_error/breaks": error_edges(aligned.logits, 31.0),
        "plddt": prediction.plddt,
        "pae": aligned.expected,
        "max_pae": torch.tensor(aligned.largest),
        "ptm": aligned.tm_score,
    }


def inner(watch, features):
    """What the watched modules returned, by the original's names; side chains are placed after every iteration."""
    found = {}
    for theirs, calls in watch.seen.items():
        if isinstance(calls, torch.Tensor):
            found[theirs] = calls
        elif theirs != "structure_module/fold_iteration":
            found |= {f"{theirs}#{number}/out": output for number, output in enumerate(calls)}
    # the original calls this norm twice, as class and as base class
    found["evoformer/prev_msa_first_row_norm#1/out"] = found["evoformer/prev_msa_first_row_norm#0/out"]
    module = watch.model.structure_module
    initial = module.norm_single(watch.seen["evoformer/single_activations"][0])
    for number, (single, frames) in enumerate(watch.seen["structure_module/fold_iteration"]):
        step = f"structure_module/fold_iteration#{number}/out"
        found[f"{step}[0]/act"] = single
        found[f"{step}[1]/affine"] = torch.cat((frames.quaternion, frames.translation), -1)
        found |= side_chains(module, number, single, initial, frames, features)
    return found


def side_chains(module, number, single, initial, frames, features):
    raw = []
    hook = module.torsions.to_torsions.register_forward_hook(lambda *args: raw.append(args[2]))
    torsions = module.torsions(single, initial)
    hook.remove()
    placed = module.atoms(features.residue_types, frames.rigid(10.0), torsions)
    name = f"structure_module/fold_iteration/rigid_sidechain#{number}/out"
    found = {
        f"{name}/angles_sin_cos": torsions,
        f"{name}/unnormalized_angles_sin_cos": raw[0].unflatten(-1, (7, 2)),
    }
    for i, x in enumerate("xyz"):
        found[f"{name}/atom_pos.{x}"] = placed.positions[..., i]
        found[f"{name}/frames.trans.{x}"] = placed.groups.translation[..., i]
        for j, y in enumerate("xyz"):
            found[f"{name}/frames.rot.{x}{y}"] = placed.groups.rotation[..., i, j]
    return found


def two_passes(model, recording, dtype, teacher):
    """Every tensor of both passes by its recorded name; `teacher`: the second begins with what was recorded."""
    features = features_of(recording, dtype)
    found, previous = {}, None
    for number in (0, 1):
        if number and teacher:
            names = ("prev_msa_first_row", "prev_pair", "prev_pos")
            previous = Recycled(*(torch.from_numpy(recording[f"r1/prev/{name}"]).to(dtype) for name in names))
        with torch.inference_mode(), Watch(model) as watch:
            prediction = model(features, previous)
            found |= {f"r{number}/out/{name}": tensor for name, tensor in outputs(prediction).items()}
            found |= {f"r{number}/{name}": tensor for name, tensor in inner(watch, features).items()}
        previous = prediction.recycled
    return found


def recorded_tensors(recording):
    return [name for name in recording.under("r") if not name.startswith("r1/prev/")]


def rows_that_count(name, array, recording):
    """Rows that are padding see only themselves, in each implementation in its own way."""
    if "extra_msa_stack" in name and "/msa" in name:
        return array[recording["in/extra_msa_mask"][:, 0] > 0]
    return array


@pytest.fixture(scope="module")
def exact(make_model, recording):
    """Both passes in float64, the second beginning with what the first has left."""
    return two_passes(make_model(PARITY_MODEL).double(), recording, torch.float64, teacher=False)


def test_every_tensor_of_two_passes_is_the_original_s_in_double_precision(exact, recording):
    names = recorded_tensors(recording)
    assert len(names) > 150
    for name in names:
        ours = recording.like_recorded(name, exact[name.partition("@")[0]])
        ours, theirs = (rows_that_count(name, array, recording) for array in (ours, recording[name]))
        assert_as_recorded(name, ours, theirs)


def test_norms_of_whole_tensors_are_the_original_s_to_eight_digits(exact, recording):
    """Recorded in float64, of the tensors themselves: not blurred by how these were stored."""
    checked = 0
    for name in recording.under("norm/"):
        key = name.removeprefix("norm/").partition("@")[0]
        if key not in exact or ("extra_msa_stack" in key and key.endswith("msa")):
            continue
        ours = exact[key].double()
        length, total, largest = recording[name]
        assert float(ours.norm()) == pytest.approx(length, rel=1e-8), name
        assert float(ours.abs().max()) == pytest.approx(largest, rel=1e-8), name
        assert float(ours.sum()) == pytest.approx(total, rel=1e-8, abs=1e-8 * largest * ours.numel() ** 0.5), name
        checked += 1
    assert checked == 32


@pytest.mark.slow
@pytest.mark.parametrize("products", [nullcontext, fast_products])
def test_every_tensor_is_within_ten_times_the_noise_in_single_precision(make_model, recording, products):
    with products():
        found = two_passes(make_model(PARITY_MODEL), recording, torch.float32, teacher=True)
    for name in recorded_tensors(recording):
        allowed = next(bound for part, bound in SINGLE_PRECISION.items() if part in name)
        ours = recording.like_recorded(name, found[name.partition("@")[0]])
        ours, theirs = (rows_that_count(name, array, recording) for array in (ours, recording[name]))
        assert_as_recorded(name, ours, theirs, allowed)


@pytest.mark.slow
def test_half_precision_keeps_the_confidence_within_a_point(make_model, recording):
    features = features_of(recording, torch.float32)
    with torch.inference_mode():
        single = make_model(PARITY_MODEL)(features)
        half = make_model(PARITY_MODEL).half()(features)
    assert half.representations.pair.dtype == torch.float32
    assert not np.array_equal(half.plddt.numpy(), single.plddt.numpy())
    assert float((half.plddt - single.plddt).abs().max()) < 1
