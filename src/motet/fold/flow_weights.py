"""The flow network's weights: a safetensors file whose header says what network and what path they belong to."""

import json
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path

from safetensors import safe_open
from safetensors.torch import save_file

from ..errors import ConfigError, FormatError
from ..io.weights import read_weights
from .flow import FlowConfig, FlowNetwork
from .flow_path import FlowPath

SHIPPED = "flow.safetensors"


@dataclass(frozen=True, eq=False)
class FlowModel:
    """A network with the path it was trained on.

    Args:
        network: The network.
        path: Its path.
        origin: How it was made, by name: steps, date, commit.
    """

    network: FlowNetwork
    path: FlowPath
    origin: dict[str, str]


def load_flow(path: Path | None = None) -> FlowModel:
    """The network that ships, or one that `scripts/train/flow.py` has written.

    Raises:
        ConfigError: None ships, or there is no such file.
        FormatError: The file holds something else.
    """
    source = Path(str(files("motet.fold.tables").joinpath(SHIPPED))) if path is None else path
    if not source.exists():
        raise ConfigError(
            f"{source}: there are no weights of the flow network; train them with scripts/train/flow.py, "
            "or choose another method."
        )
    tensors = read_weights(source)
    with safe_open(source, framework="pt") as opened:
        header = dict(sorted((opened.metadata() or {}).items()))  # safetensors gives them in any order
    try:
        config, route = FlowConfig(**json.loads(header.pop("config"))), FlowPath(**json.loads(header.pop("path")))
    except (KeyError, TypeError, ValueError) as error:
        reason = "is not a flow network"
        raise FormatError(source, reason, "train one with scripts/train/flow.py") from error
    network = FlowNetwork(config)
    expected = {name: tuple(value.shape) for name, value in network.named_parameters()}
    found = read_weights(source, expected) if tensors else tensors
    network.load_state_dict({name: value.float() for name, value in found.items()}, strict=False)
    return FlowModel(network.eval(), route, header)


def save_flow(model: FlowModel, path: Path) -> None:
    """Write a network in half precision."""
    half = {name: value.detach().cpu().half().contiguous() for name, value in model.network.named_parameters()}
    described = {"config": json.dumps(asdict(model.network.config)), "path": json.dumps(asdict(model.path))}
    save_file(half, path, metadata=model.origin | described)
