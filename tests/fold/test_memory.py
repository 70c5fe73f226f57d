"""Memory of a pass: no tensor of the trunk grows faster than the pairs do."""

from dataclasses import replace

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from motet.fold import AlphaFold, Features, TemplateConfig, preset
from motet.fold.features import Templates
from motet.nn import Execution

ROWS = 4


class Largest(TorchDispatchMode):
    """The largest storage that any operation returns, in bytes."""

    def __init__(self):
        super().__init__()
        self.bytes = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        for leaf in tree_leaves(result):
            if isinstance(leaf, torch.Tensor):
                self.bytes = max(self.bytes, leaf.untyped_storage().nbytes())
        return result


def features(residues):
    types = torch.arange(residues) % 20
    alignment = (types + torch.arange(ROWS)[:, None]) % 20
    templates = Templates(
        residue_types=types[None],
        positions=torch.ones(1, residues, 37, 3),
        atom_presence=torch.ones(1, residues, 37),
        presence=torch.ones(1),
    )
    return Features(
        residue_types=types,
        residue_index=torch.arange(residues),
        residue_presence=torch.ones(residues),
        target=torch.ones(residues, 22),
        msa=torch.ones(ROWS, residues, 49),
        msa_presence=torch.ones(ROWS, residues),
        extra_types=alignment,
        extra_has_deletion=torch.zeros(ROWS, residues),
        extra_deletions=torch.zeros(ROWS, residues),
        extra_presence=torch.ones(ROWS, residues),
        templates=templates,
    )


def largest(model, residues, budget=2**14):
    read = features(residues)
    previous = model.nothing(read)
    with torch.inference_mode(), Largest() as seen:
        model(read, previous, Execution(memory_budget=budget))
    return seen.bytes


def test_no_tensor_of_a_pass_grows_faster_than_the_pairs():
    config = preset("model_1_ptm")
    one = replace(config.evoformer, blocks=1)
    config = replace(
        config, evoformer=one, extra_msa=replace(config.extra_msa, blocks=1), templates=TemplateConfig(blocks=1)
    )
    model = AlphaFold(config).eval()
    short, long = largest(model, 32), largest(model, 64)
    pairs = 64 * 64 * config.evoformer.c_pair * 4
    assert long <= 4 * short
    assert long <= pairs  # nothing is larger than the pair representation itself
    assert largest(model, 64, budget=2**30) > 2 * pairs  # as it would be without a budget
