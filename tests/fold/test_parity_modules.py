"""Every module by itself against the original, on what it was fed: model_1_ptm, with zeros in the masks."""

import numpy as np
import pytest
import torch

from motet.fold import Recycled
from motet.fold.atoms import AllAtoms
from motet.fold.frames import Frames
from motet.fold.heads import distogram_edges, error_edges

from .conftest import MODULES_MODEL, assert_as_recorded, features_of

BLOCK = {
    "msa_row_attention_with_pair_bias": "row_attention",
    "msa_column_attention": "column_attention",
    "msa_column_global_attention": "column_attention",
    "msa_transition": "msa_transition",
    "outer_product_mean": "outer_product_mean",
    "triangle_multiplication_outgoing": "pair.multiply_outgoing",
    "triangle_multiplication_incoming": "pair.multiply_incoming",
    "triangle_attention_starting_node": "pair.attend_starting",
    "triangle_attention_ending_node": "pair.attend_ending",
    "pair_transition": "pair.transition",
}
UNMASKED = {"msa_transition", "pair_transition"}
STACKS = {"evoformer_iteration": "trunk.evoformer.blocks.0", "extra_msa_stack": "trunk.extra_msa.stack.blocks.0"}
PARTS = [
    (stack, part)
    for stack in STACKS
    for part in BLOCK
    if part != ("msa_column_attention" if stack == "extra_msa_stack" else "msa_column_global_attention")
]
PRECISIONS = pytest.mark.parametrize(("dtype", "noise"), [(torch.float64, 2e-7), (torch.float32, 8e-5)])
FOLD = "mod/structure_module/fold_iteration"


@pytest.fixture(scope="module")
def model(make_model):
    return make_model(MODULES_MODEL)


@pytest.fixture
def fed(modules):
    """What the original was fed, and whether our module returns what it returned."""

    def read(name, dtype):
        array = torch.from_numpy(modules[name])
        return array.to(dtype) if array.is_floating_point() else array

    return read


def check(name, ours, modules, noise, rows=...):
    """The inputs were rounded to float32 for the recording, so `noise` is relative to scale, even in float64."""
    recorded = modules[name]
    allowed = noise * max(1.0, float(np.abs(recorded).max()))
    assert_as_recorded(name, ours.detach().double().numpy()[rows], recorded[rows], allowed)


@PRECISIONS
@pytest.mark.parametrize(("stack", "part"), PARTS)
def test_a_part_of_a_block(model, modules, fed, stack, part, dtype, noise):
    name = f"mod/evoformer/{stack}/{part}#0"
    ours = model.to(dtype).get_submodule(f"{STACKS[stack]}.{BLOCK[part]}")
    inputs = [fed(f"{name}/in/0", dtype)]
    if part == "msa_row_attention_with_pair_bias":
        inputs.append(fed(f"{name}/in/pair_act", dtype))
    mask = fed(f"{name}/in/1", dtype)
    if part not in UNMASKED:
        inputs.append(mask)
    with torch.inference_mode():
        # a row of padding sees only itself, in each implementation in its own way: it is compared where it matters
        rows = (mask > 0).any(-1).numpy() if "row_attention" in part or "column" in part else ...
        check(f"{name}/out", ours(*inputs), modules, noise, rows)


@PRECISIONS
@pytest.mark.parametrize("stack", STACKS)
def test_a_block(model, modules, fed, stack, dtype, noise):
    name = f"mod/evoformer/{stack}#0"
    block = model.to(dtype).get_submodule(STACKS[stack])
    names = ("activations/msa", "activations/pair", "masks/msa", "masks/pair")
    inputs = [fed(f"{name}/in/{one}", dtype) for one in names]
    with torch.inference_mode():
        msa, pair = block(*inputs)
    check(f"{name}/out/msa", msa, modules, noise, (inputs[2] > 0).any(-1).numpy())
    check(f"{name}/out/pair", pair, modules, noise)


@PRECISIONS
def test_templates_join_the_pairs(model, modules, fed, dtype, noise):
    embedder, features = model.to(dtype).trunk.template_embedder, features_of(modules, dtype)
    name = "mod/evoformer/template_embedding#0"
    with torch.inference_mode():
        ours = embedder(features.templates, fed(f"{name}/in/0", dtype), fed(f"{name}/in/2", dtype))
    check(f"{name}/out", ours, modules, noise)


@PRECISIONS
def test_pairs_look_at_their_like_in_the_templates(model, modules, fed, dtype, noise):
    attention = model.to(dtype).trunk.template_embedder.attention
    name = "mod/evoformer/template_embedding/attention#0"
    pair = fed(f"{name}/in/0", dtype).reshape(12, 12, 128)
    templates = fed(f"{name}/in/1", dtype).reshape(12, 12, 4, 64).movedim(2, 0)
    presence = (fed(f"{name}/in/2", dtype).flatten() == 0).to(dtype)  # recorded as an addition to the logits
    with torch.inference_mode():
        check(f"{name}/out", attention(pair, templates, presence).reshape(144, 1, 128), modules, noise)


@PRECISIONS
def test_torsions_of_templates_join_the_alignment(model, modules, dtype, noise):
    torsions, seen = model.to(dtype).trunk.template_torsions, []
    hook = torsions.mix.register_forward_hook(lambda _module, inputs, output: seen.extend((inputs[0], output)))
    with torch.inference_mode():
        torsions(features_of(modules, dtype).templates)
    hook.remove()
    check("mod/evoformer/template_projection#0/in/0", seen[0], modules, noise)
    check("mod/evoformer/template_projection#0/out", seen[1], modules, noise)


@PRECISIONS
@pytest.mark.parametrize("call", [0, 7])
def test_an_iteration_of_the_structure_module(model, modules, fed, call, dtype, noise):
    name = f"{FOLD}#{call}"
    frames = read_frames(fed(f"{name}/in/0/affine", dtype))
    pair = fed(f"{FOLD}#0/in/static_feat_2d", dtype)
    presence = fed(f"{name}/in/sequence_mask", dtype)[..., 0]
    with torch.inference_mode():
        single, moved = model.to(dtype).structure_module.step(
            fed(f"{name}/in/0/act", dtype), pair, frames, presence
        )
    check(f"{name}/out[0]/act", single, modules, noise)
    check(f"{name}/out[0]/affine", torch.cat((moved.quaternion, moved.translation), -1), modules, noise)
    check(f"{name}/out[1]/affine", torch.cat((moved.quaternion, moved.translation), -1), modules, noise)


@PRECISIONS
@pytest.mark.parametrize("call", [0, 7])
def test_attention_among_frames(model, modules, fed, call, dtype, noise):
    name = f"{FOLD}/invariant_point_attention#{call}"
    frames = read_frames(fed(f"{name}/in/affine", dtype))
    with torch.inference_mode():
        ours = model.to(dtype).structure_module.step.attention(
            fed(f"{name}/in/inputs_1d", dtype),
            fed(f"{name}/in/inputs_2d", dtype),
            frames.rotation,
            frames.translation,
            fed(f"{name}/in/mask", dtype)[..., 0],
        )
    check(f"{name}/out", ours, modules, noise)


@PRECISIONS
@pytest.mark.parametrize("call", [0, 7])
def test_side_chains(model, modules, fed, call, dtype, noise):
    name = f"{FOLD}/rigid_sidechain#{call}"
    module = model.to(dtype).structure_module
    frames, seen = read_frames(fed(f"{name}/in/0", dtype)), []  # already in Å
    hook = module.torsions.to_torsions.register_forward_hook(lambda *args: seen.append(args[2]))
    with torch.inference_mode():
        torsions = module.torsions(fed(f"{name}/in/1[0]", dtype), fed(f"{name}/in/1[1]", dtype))
        placed = module.atoms(fed(f"{name}/in/2", dtype), frames.rigid(1.0), torsions)
    hook.remove()
    check(f"{name}/out/unnormalized_angles_sin_cos", seen[0].unflatten(-1, (7, 2)), modules, noise)
    noise = (
        10 * noise
    )  # a torsion whose raw sine and cosine are small magnifies the rounding of the recorded input
    check(f"{name}/out/angles_sin_cos", torsions, modules, noise)
    for i, x in enumerate("xyz"):
        check(f"{name}/out/atom_pos.{x}", placed.positions[..., i], modules, noise)
        check(f"{name}/out/frames.trans.{x}", placed.groups.translation[..., i], modules, noise)
        for j, y in enumerate("xyz"):
            check(f"{name}/out/frames.rot.{x}{y}", placed.groups.rotation[..., i, j], modules, noise)


@PRECISIONS
def test_heads(model, modules, fed, dtype, noise):
    heads = model.to(dtype).heads

    def known(head, part):
        return fed(f"mod/{head}#0/in/0/{part}", dtype)

    with torch.inference_mode():
        distogram = heads.distogram(known("distogram_head", "pair"))
        errors = heads.aligned_error(known("predicted_aligned_error_head", "pair"))
        resolved = heads.resolved(known("experimentally_resolved_head", "single"))
        masked = heads.masked_msa(known("masked_msa_head", "msa"))
        lddt = heads.lddt(known("predicted_lddt_head", "structure_module"))
    check("mod/distogram_head#0/out/logits", distogram, modules, noise)
    check("mod/distogram_head#0/out/bin_edges", distogram_edges(distogram), modules, noise)
    check("mod/predicted_aligned_error_head#0/out/logits", errors, modules, noise)
    check("mod/predicted_aligned_error_head#0/out/breaks", error_edges(errors, 31.0), modules, noise)
    check("mod/experimentally_resolved_head#0/out/logits", resolved, modules, noise)
    check("mod/masked_msa_head#0/out/logits", masked, modules, noise)
    check("mod/predicted_lddt_head#0/out/logits", lddt, modules, noise)


@PRECISIONS
def test_a_whole_pass_with_templates(model, modules, fed, dtype, noise):
    previous = Recycled(
        *(fed(f"r1/prev/{name}", dtype) for name in ("prev_msa_first_row", "prev_pair", "prev_pos"))
    )
    with torch.inference_mode():
        found = model.to(dtype)(features_of(modules, dtype), previous)
    known = found.representations
    ours = {
        "representations/single": known.single,
        "representations/pair": known.pair,
        "representations/msa": known.msa,
        "representations/msa_first_row": known.first_row,
        "representations/structure_module": found.folded.single,
        "distogram/logits": found.distogram_logits,
        "experimentally_resolved/logits": found.resolved_logits,
        "masked_msa/logits": found.masked_msa_logits,
        "structure_module/final_atom_positions": found.folded.positions,
        "structure_module/final_atom_mask": found.folded.atom_presence,
        "predicted_lddt/logits": found.lddt_logits,
        "predicted_aligned_error/logits": found.aligned.logits,
        "plddt": found.plddt,
        "pae": found.aligned.expected,
        "max_pae": torch.tensor(found.aligned.largest),
        "ptm": found.aligned.tm_score,
    }
    for name, tensor in ours.items():
        check(f"r1/out/{name}", tensor, modules, noise)


def test_every_recorded_module_is_compared(modules):
    """Nothing recorded is left out: `single_activations` is a linear layer of the whole pass."""
    recorded = {name.split("#")[0].removeprefix("mod/") for name in modules.under("mod/")}
    compared = {f"evoformer/{stack}/{part}" for stack, part in PARTS} | {f"evoformer/{stack}" for stack in STACKS}
    compared |= {f"evoformer/{name}" for name in ("template_embedding", "template_embedding/attention")}
    compared |= {"evoformer/template_projection", "evoformer/single_activations"}
    fold = "structure_module/fold_iteration"
    compared |= {fold, f"{fold}/invariant_point_attention", f"{fold}/rigid_sidechain"}
    heads = ("distogram", "experimentally_resolved", "masked_msa", "predicted_lddt", "predicted_aligned_error")
    assert recorded == compared | {f"{head}_head" for head in heads}


def test_single_activations(model, modules, fed):
    name = "mod/evoformer/single_activations#0"
    ours = model.to(torch.float64).trunk.to_single(fed(f"{name}/in/0", torch.float64))
    check(f"{name}/out", ours, modules, 2e-7)


def read_frames(affine):
    return Frames(affine[..., :4], affine[..., 4:])


def test_tables_survive_a_change_of_precision():
    exact = AllAtoms()
    assert torch.equal(AllAtoms().double().ideal.float(), exact.ideal)
