"""Mining: folds that were put in come out, junk is called junk, and nobody looks at the pLDDT."""

import tarfile
from dataclasses import replace

import pytest
import torch

from motet.ensemble import DenseStateFinder, check_models, enriched_rows, mine
from motet.ensemble.alignment_enrichment import false_discovery
from motet.ensemble.ranges import residue_ranges
from motet.errors import ConfigError
from motet.io import read_a3m, read_alignments, read_predictions

from .predicted import FIRST, JUNK, SECOND, made_up, written


@pytest.fixture(scope="module")
def predictions(tmp_path_factory):
    backbone, plddt, _ = made_up()
    return read_predictions(written(tmp_path_factory.mktemp("mine") / "made_up.npz", backbone, plddt))


@pytest.fixture(scope="module")
def mined(predictions):
    return mine(predictions)


def test_two_folds_are_two_states_and_junk_has_none(mined):
    _, _, truth = made_up()
    states = mined.state_of_model
    assert [len(state.members) for state in mined.analysis.states.states] == [FIRST, SECOND]
    for state, fold in zip(states, truth.tolist(), strict=True):
        assert state == str(fold) if fold >= 0 else state in ("unassigned", "broken", "clashing")
    assert states.count("broken") == 2


def test_populations_are_shares_of_the_models_that_have_a_state(mined):
    shares = [state.population for state in mined.analysis.states.states]
    assert shares == pytest.approx([FIRST / (FIRST + SECOND), SECOND / (FIRST + SECOND)])
    assert mined.analysis.ensemble.provenance.weighting == "given"
    assert mined.confidence.tolist() == pytest.approx([85, 85])


def test_confidence_moves_no_model(predictions, mined):
    shuffled = replace(predictions, confidence=predictions.confidence.flip(0))
    again = mine(shuffled)
    assert again.state_of_model == mined.state_of_model


def test_the_stretch_that_switches_is_named(mined):
    (transition,) = mined.analysis.transitions
    assert set(range(16, 28)) <= {switch.residue for switch in transition.switches}
    assert all(12 <= switch.residue < 32 for switch in transition.switches)


def test_the_same_seed_finds_the_same_states(predictions, mined):
    again = mine(predictions, seed=0)
    assert torch.equal(again.dense.labels, mined.dense.labels)
    assert again.dense.trials == mined.dense.trials


def test_one_cloud_of_models_is_one_state(predictions):
    alike = predictions.chosen(torch.arange(FIRST))
    found = DenseStateFinder().find(alike.structure)
    assert found.chosen is None
    assert not found.labels.any()
    few = DenseStateFinder().find(predictions.chosen(torch.arange(5)).structure)
    assert "too few" in few.reason


def test_torn_and_crossing_models_are_seen(predictions):
    check = check_models(predictions.structure)
    assert check.broken.nonzero().squeeze(-1).tolist() == [len(predictions) - 2, len(predictions) - 1]
    folded = predictions.structure.coords[:1].clone()
    folded[:, 4 * 30 :] += folded[:, 1:2] - folded[:, 4 * 30 + 1 : 4 * 30 + 2]  # residue 31 onto the first
    assert check_models(predictions.structure.with_coords(folded)).clashing.all()
    with pytest.raises(ConfigError, match="every model"):
        mine(predictions.chosen(torch.tensor([len(predictions) - 1])))


def test_an_unknown_representation_is_refused():
    with pytest.raises(ConfigError, match="torsions"):
        DenseStateFinder("angles")


@pytest.fixture
def alignments(tmp_path, predictions):
    """An alignment for each model: one row goes with the second fold, the others with none."""
    packed = tmp_path / "made_up_msas.tar"
    with tarfile.open(packed, "w") as archive:
        for i, name in enumerate(predictions.names):
            rows = [("query", "A" * 40), (f"common{i % 5}", "A" * 38 + "--")]
            rows += [("switcher", "AG" * 20)] if FIRST <= i < FIRST + SECOND or i % 9 == 0 else []
            file = tmp_path / f"{name}.a3m"
            file.write_text("".join(f">{row}\n{letters}\n" for row, letters in rows))
            archive.add(file, arcname=f"made_up/{name}.a3m")
    return packed


def test_the_row_behind_a_fold_is_called_and_the_others_are_not(predictions, mined, alignments):
    found = mine(predictions, read_alignments(alignments, predictions.names)).enrichment
    assert found is not None
    assert [(row.row, row.state, row.inside) for row in found.rows] == [("switcher", 1, SECOND)]
    assert found.rows[0].q_value < 1e-6
    assert found.tested == 12
    assert found.identities[1] < found.identities[0]


def test_a_folder_of_alignments_is_the_tar_of_it(tmp_path, predictions, alignments):
    packed = read_alignments(alignments, predictions.names)
    folder = read_alignments(tmp_path, predictions.names)
    assert {name: one.rows for name, one in packed.items()} == {name: one.rows for name, one in folder.items()}
    longer = read_alignments(tmp_path, ["model_003_unrelaxed_rank_001", "other"])
    assert set(longer) == {"model_003_unrelaxed_rank_001"}


def test_rows_are_counted_in_models_of_a_state_alone(tmp_path):
    (tmp_path / "a.a3m").write_text(">q\nAA\n>r\nAA\n")
    one = read_a3m(tmp_path / "a.a3m")
    found = enriched_rows(["a", "b", "c"], torch.tensor([0, -1, 1]), {"a": one, "b": one, "c": one})
    assert found.tested == 2
    assert found.rows == ()


def test_false_discovery_is_benjamini_and_hochbergs():
    scipy_stats = pytest.importorskip("scipy.stats")
    values = torch.rand(50, generator=torch.Generator().manual_seed(0), dtype=torch.float64) ** 3
    expected = torch.from_numpy(scipy_stats.false_discovery_control(values.numpy()))
    torch.testing.assert_close(false_discovery(values), expected)


def test_residues_are_written_as_ranges(trp_cage_topology):
    assert residue_ranges(trp_cage_topology, [0, 1, 2, 7, 9, 10]) == "A:1-3, A:8, A:10-11"
    assert residue_ranges(trp_cage_topology, []) == "-"


@pytest.fixture
def trp_cage_topology(examples):
    from motet.io import read

    return read(examples / "1l2y.pdb").topology


def test_junk_alone_is_not_a_state(predictions):
    assert JUNK == 8
    found = DenseStateFinder("torsions").find(
        predictions.chosen(torch.arange(FIRST, len(predictions) - 2)).structure
    )
    assert int(found.labels.max()) == 0
