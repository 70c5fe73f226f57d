"""What a user asks of phase separation: verdicts, structures, mutations, gradients back to atoms and energies."""

import pytest
import torch

from motet.condensate import PhaseSeparation, PhysicalLayer, Settings, effects, encode
from motet.condensate.mutations import mutated_sequence, saturation_scan
from motet.condensate.structures import available, chains_of, exposure
from motet.ensemble import prepared
from motet.errors import MutationError
from motet.forcefield import Conditions
from motet.io import read

SEQUENCES = ("MASNDYTQQATQSYGAYPTQPGQGYSQQSSQPYGQQSYSGYSQS", "MKVLAAGIVGLLLAQWERTYIPK" * 9, "GGRGGSGGRGGFGG")


@pytest.fixture(scope="module")
def network() -> PhaseSeparation:
    """Untrained: the laws hold for any weights; two poses a pair of residues, so that the tables take a moment."""
    torch.manual_seed(0)
    return PhaseSeparation(Settings(), 2, PhysicalLayer(poses=2)).eval()


@pytest.fixture(scope="module")
def cage(examples):
    return prepared(read(examples / "1l2y.pdb")).model(0)


def test_a_verdict_does_not_depend_on_what_else_is_asked(network):
    together = network.predict(SEQUENCES, ["a", "b", "c"])
    assert [one.name for one in together] == ["a", "b", "c"]
    for verdict, sequence in zip(together, SEQUENCES, strict=True):
        (alone,) = network.predict([sequence])
        assert verdict.sequence == sequence
        assert verdict.driver == pytest.approx(alone.driver, abs=1e-5)
        assert verdict.saturation == pytest.approx(alone.saturation, rel=1e-4)
        torch.testing.assert_close(verdict.profile, alone.profile, rtol=0, atol=1e-5)
        assert verdict.driver_low <= verdict.driver <= verdict.driver_high
        assert verdict.by_physics + verdict.by_learning == pytest.approx(
            sum_of_logits(network, sequence), abs=1e-4
        )


def sum_of_logits(network: PhaseSeparation, sequence: str) -> float:
    with torch.no_grad():
        readings = network(encode([sequence]), network.tables(Conditions()))
    return float(torch.stack([one.driver for one in readings]).mean())


def test_salt_reaches_the_verdict(network):
    charged = "GKGEGKGEGKGSEEEEGSKKKKGS" * 4
    (low,) = network.predict([charged], conditions=Conditions(ionic_strength=0.01))
    (high,) = network.predict([charged], conditions=Conditions(ionic_strength=1.0))
    assert low.descriptors["self_charge"] != pytest.approx(high.descriptors["self_charge"], rel=1e-3)


def test_a_structure_is_read_by_its_exposed_residues(network, cage):
    (verdict,) = network.predict_structure(cage)
    assert verdict.sequence == "NLYIQWLKDGGPSSGRPPPS"
    exposed = exposure(cage, cage.coords, network.physics.fragments.force_field, Conditions())
    assert exposed[5] < exposed.mean()  # Trp6 is the core of the cage


def structure_logit(network: PhaseSeparation, structure, coords: torch.Tensor) -> torch.Tensor:
    (chain,) = chains_of(structure)
    batch = encode([chain.sequence])
    exposed = exposure(structure, coords, network.physics.fragments.force_field, Conditions())
    with torch.no_grad():
        tables = network.physics.tables(Conditions())
    disorder = torch.full(batch.types.shape, 0.3)
    return torch.stack([one.driver for one in network(batch, tables, disorder, exposed[None])]).mean()


def test_a_step_along_the_gradient_by_coordinates_raises_the_score_as_predicted(network, cage):
    coords = cage.coords.float().clone().requires_grad_()
    before = structure_logit(network, cage, coords)
    (gradient,) = torch.autograd.grad(before, coords)
    assert gradient.isfinite().all()
    assert (gradient != 0).any()
    step = 0.02 * gradient / gradient.norm()
    with torch.no_grad():
        change = structure_logit(network, cage, coords + step) - structure_logit(network, cage, coords - step)
    assert float(change) == pytest.approx(2 * float((gradient * step).sum()), rel=0.1)
    assert change > 0


def test_the_probability_has_a_gradient_by_the_parameters_of_the_force_field(network):
    force_field = network.physics.fragments.force_field
    readings = network(encode(SEQUENCES), network.physics.tables(Conditions()))
    network.driver_probability(readings).sum().backward()
    assert force_field.weights.grad.isfinite().all()
    assert (force_field.weights.grad != 0).sum() > 5
    inner = [value.grad for term in force_field.terms for value in term.parameters() if value.grad is not None]
    assert inner
    assert all(one.isfinite().all() for one in inner)
    assert any((one != 0).any() for one in inner)


def test_exposed_residues_of_a_fold_count_less_than_disordered_ones():
    exposed = torch.tensor([0.0, 1.0])
    assert available(torch.tensor([1.0, 1.0]), exposed).tolist() == [1.0, 1.0]
    folded = available(torch.zeros(2), exposed)
    assert folded[0] == 0.0
    assert 0.0 < folded[1] < 0.5


def test_no_change_has_no_effect_and_a_tyrosine_lost_weakens(network):
    same, lost = effects(network, SEQUENCES[0], ["S3S", "Y6S;Y14S"])
    assert same.logit == pytest.approx(0.0, abs=1e-5)
    assert same.log_saturation == pytest.approx(0.0, abs=1e-5)
    assert same.disorder == pytest.approx(0.0, abs=1e-4)
    assert lost.log_saturation > 0
    assert lost.strengthens < same.strengthens


@pytest.mark.parametrize(
    ("mutation", "word"), [("Y6", "cannot be read"), ("S6Y", "is Y"), ("Y99S", "1 to 44"), ("Y6B", "cannot be")]
)
def test_mutations_that_do_not_fit_are_refused(mutation: str, word: str):
    with pytest.raises(MutationError, match=word):
        mutated_sequence(SEQUENCES[0], mutation)


def test_a_scan_tries_every_other_residue():
    assert len(saturation_scan("MKV")) == 3 * 19
    assert set(saturation_scan("MKV", [2])) == {f"K2{letter}" for letter in "ACDEFGHILMNPQRSTVWY"}
