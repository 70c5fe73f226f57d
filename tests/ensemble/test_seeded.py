"""Monte Carlo that the flow has seeded."""

from pathlib import Path

import pytest
import torch

from motet.ensemble import MonteCarlo, prepared
from motet.ensemble.flow import Flow
from motet.ensemble.seeded import SeededMonteCarlo
from motet.errors import ConfigError
from motet.fold.flow import FlowConfig, FlowNetwork
from motet.fold.flow_path import FlowPath
from motet.fold.flow_weights import FlowModel
from motet.forcefield import ForceField
from motet.io import read

EXAMPLE = Path(__file__).parents[2] / "examples" / "1l2y.pdb"
SMALL = FlowConfig(c_single=16, c_pair=8, c_triangle=4, pair_blocks=1, blocks=1, heads=1, c_head=4, waves=2)


@pytest.fixture(scope="module")
def cage():
    whole = read(EXAMPLE).model(0)
    return prepared(whole.subset(whole.topology.residue_of_atom < 6))


def seeded(cage, replicas=2):
    model = FlowModel(FlowNetwork(SMALL).eval(), FlowPath(), {})
    flow = Flow(structure=cage, model=model, level=0.05, steps=1, replicas=replicas, packed=False, settling=5)
    return SeededMonteCarlo(
        flow=flow, montecarlo=MonteCarlo(topology=cage.topology, replicas=1, burn_in=1, interval=1)
    )


@pytest.mark.slow
def test_chains_start_where_the_flow_has_drawn_and_resume_as_if_not_stopped(cage):
    system, generator = ForceField().bind(cage), seeded(cage)
    state = generator.start(system, cage.coords, 3)
    _, flown = generator.flow.draw(system, generator.flow.start(system, cage.coords, 3))
    assert torch.equal(state.seeds, flown)
    alone = generator.montecarlo.start(system, flown[1], 4)
    assert torch.equal(state.chains[1].start, alone.start)
    state, _ = generator.draw(system, state)
    resumed = generator.unpack(generator.pack(state))
    _, on = generator.draw(system, state)
    state, again = generator.draw(system, resumed)
    assert torch.equal(on, again)
    report = generator.report(state)
    assert report["rmsd_from_flow"] > 0
    assert any(name.startswith("acceptance_") for name in report)
    assert generator.step(state) == 3


def test_a_start_has_one_chain(cage):
    flow = seeded(cage).flow
    with pytest.raises(ConfigError, match="one replica a start"):
        SeededMonteCarlo(flow=flow, montecarlo=MonteCarlo(topology=cage.topology, replicas=2))
