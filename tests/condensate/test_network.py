"""The network of phase separation: independent of its batch, bounded, differentiable, true to its parts."""

import dataclasses

import pytest
import torch

from motet.condensate import CondensateNetwork, PairTables, PhysicalLayer, Settings, encode
from motet.condensate.mutations import saturation_scan
from motet.condensate.network import FRAGMENT, STRIDE, _fragments
from motet.condensate.physics import DESCRIPTORS
from motet.condensate.predictor import batches_of
from motet.errors import ConfigError
from motet.forcefield import Conditions

PROTEINS = ("MKV" * 40 + "RGGYS" * 20, "ACDEFGHIKLMNPQRSTVWY" * 7, "GGGGGSSSS", "MXUBZJO" * 3)


@pytest.fixture(scope="module")
def physics() -> PhysicalLayer:
    return PhysicalLayer(poses=2)


@pytest.fixture(scope="module")
def tables(physics: PhysicalLayer) -> PairTables:
    """Tables with contact energies drawn at random: laws hold for any, and scoring poses takes seconds."""
    generator = torch.Generator().manual_seed(3)
    contact = torch.randn(len(physics.channels), 20, 20, generator=generator)
    with torch.no_grad():
        virial, charges = physics.coarse.virial(Conditions()), physics.coarse.charges(Conditions())
    return PairTables(virial, charges, 0.5 * (contact + contact.mT), 8.0)


def network(layer: PhysicalLayer, settings: Settings | None = None) -> CondensateNetwork:
    torch.manual_seed(0)
    return CondensateNetwork(settings, layer).eval()


def test_a_protein_scores_the_same_whatever_else_is_in_the_batch(physics, tables):
    made = network(physics)
    with torch.no_grad():
        together = made(encode(PROTEINS), tables)
        for row, sequence in enumerate(PROTEINS):
            alone = made(encode([sequence]), tables)
            size = len(sequence)
            torch.testing.assert_close(together.driver[row], alone.driver[0], rtol=0, atol=1e-4)
            torch.testing.assert_close(together.client[row], alone.client[0], rtol=0, atol=1e-4)
            torch.testing.assert_close(together.region[row, :size], alone.region[0], rtol=0, atol=1e-4)


def test_the_logit_is_the_sum_of_its_parts_and_the_learnt_one_is_bounded(physics, tables):
    made = network(physics, Settings(bound=0.7))
    with torch.no_grad():
        for parameter in made.head.parameters():
            parameter.mul_(1000.0)
        reading = made(encode(PROTEINS), tables)
    torch.testing.assert_close(reading.driver, reading.by_physics + reading.by_learning)
    torch.testing.assert_close(reading.by_physics, made.offset[0] + reading.shares.sum(-1))
    place = DESCRIPTORS.index("all_atom")
    torch.testing.assert_close(reading.view.contacts.sum(-1), reading.view.descriptors[:, place])
    assert (reading.by_learning.abs() <= 0.7 + 1e-6).all()
    assert (reading.by_learning.abs() > 0.69).any()


def test_physics_can_only_favour_what_its_descriptors_favour(physics, tables):
    made = network(physics, Settings(learned=False))
    batch = encode(PROTEINS[:1])
    with torch.no_grad():
        torch.nn.init.normal_(made.physics_weight)
        reading = made(batch, tables)
        better = dataclasses.replace(reading.view, descriptors=reading.view.descriptors + 0.1)
        assert made(batch, tables, view=better).driver > reading.driver


def test_without_physics_no_energy_reaches_the_logit(physics, tables):
    made = network(physics, Settings(physics=False))
    other = dataclasses.replace(tables, contact=tables.contact.flip(0), charges=tables.charges.flip(0))
    with torch.no_grad():
        first, second = made(encode(PROTEINS), tables), made(encode(PROTEINS), other)
    torch.testing.assert_close(first.driver, second.driver, rtol=0, atol=0)


def test_the_gradient_reaches_stickiness_contact_energies_and_disorder(physics, tables):
    made = network(physics)
    contact = tables.contact.clone().requires_grad_()
    virial = physics.coarse.virial(Conditions())
    batch = encode(PROTEINS[:1])
    disorder = torch.full(batch.types.shape, 0.6, requires_grad=True)
    made(batch, dataclasses.replace(tables, contact=contact, virial=virial), disorder).driver.sum().backward()
    for gradient in (contact.grad, disorder.grad, physics.coarse._raw_stickiness.grad):
        assert gradient is not None
        assert gradient.isfinite().all()
        assert (gradient != 0).any()


def test_fragments_overlap_and_cover_the_chain():
    ramp = torch.arange(20.0).reshape(1, 20, 1)
    cut = _fragments(ramp)
    assert cut.shape == (1, 20 // STRIDE, 1)
    inner = torch.arange(2.0, 2.0 + FRAGMENT).mean()
    assert cut[0, 1, 0] == inner


def test_batches_hold_each_protein_once_and_stay_small():
    lengths = [30, 3000, 400, 401, 90, 5000, 12]
    chunks = list(batches_of(lengths))
    assert sorted(index for chunk in chunks for index in chunk) == list(range(len(lengths)))
    assert all(
        len(chunk) == 1 or len(chunk) * max(lengths[i] for i in chunk) ** 2 <= 4_000_000 for chunk in chunks
    )


@pytest.mark.parametrize("position", [0, 9])
def test_a_scan_beyond_the_ends_is_refused(position: int):
    assert len(saturation_scan("MKVLLKKK", [1, 8])) == 38
    with pytest.raises(ConfigError, match=f"no residue {position}"):
        saturation_scan("MKVLLKKK", [8, position])


@pytest.mark.parametrize(("sequence", "word"), [("MKV", "residues"), ("MKV1LL", "amino acid")])
def test_what_is_no_protein_is_refused(sequence: str, word: str):
    with pytest.raises(ConfigError, match=word):
        encode([sequence])
