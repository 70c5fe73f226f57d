"""AlphaFold2 at full depth on random weights: two passes, 64 clusters and 128 further rows.

The goals on two cores are 5 s (60 residues) and 16 s (120) in float32. `fold.py` beside this file also measures
memory and bfloat16, and runs the original on JAX.
"""

from dataclasses import replace

import pytest
import torch

from motet.fold import AlphaFold, AlphaFoldConfig, Features, Recycling, fold, preset
from motet.nn import Execution

CLUSTERS, EXTRA = 64, 128


def full_depth() -> AlphaFold:
    return random_model(preset("model_3_ptm"))


def shallow() -> AlphaFold:
    config = preset("model_3_ptm")
    return random_model(
        replace(
            config, evoformer=replace(config.evoformer, blocks=1), extra_msa=replace(config.extra_msa, blocks=1)
        )
    )


def random_model(config: AlphaFoldConfig) -> AlphaFold:
    return AlphaFold(config).eval()


def random_features(residues: int) -> Features:
    generator = torch.Generator().manual_seed(0)

    def draw(*shape: int) -> torch.Tensor:
        return torch.rand(shape, generator=generator)

    types = (20 * draw(residues)).long()
    return Features(
        residue_types=types,
        residue_index=torch.arange(residues),
        residue_presence=torch.ones(residues),
        target=draw(residues, 22).round(),
        msa=draw(CLUSTERS, residues, 49),
        msa_presence=torch.ones(CLUSTERS, residues),
        extra_types=(22 * draw(EXTRA, residues)).long(),
        extra_has_deletion=torch.zeros(EXTRA, residues),
        extra_deletions=torch.zeros(EXTRA, residues),
        extra_presence=torch.ones(EXTRA, residues),
    )


@torch.inference_mode()
def run(model: AlphaFold, residues: int, execution: Execution) -> None:
    fold(model, random_features(residues), Recycling(recycles=1), execution=execution)


def bench_one_block_of_each_stack(benchmark):
    benchmark.pedantic(run, args=(shallow(), 24, Execution()), rounds=1)


@pytest.mark.slow
@pytest.mark.parametrize("residues", [60, 120])
def bench_full_depth(benchmark, residues):
    model = full_depth()
    benchmark.pedantic(run, args=(model, residues, Execution()), rounds=3, warmup_rounds=1)
