"""What each residue type is worth at each place: the learned residual upon the force field's terms."""

from functools import cache
from importlib.resources import as_file, files

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from ...chem import read_table
from ...io import read_weights
from ...structure import Structure
from .environment import FEATURES, TABLES, environment
from .preferences import FAMILY, LETTERS, Places, ResiduePreferences, places_of


class SiteModel(nn.Module):
    """kcal/mol of each residue type at each place, up to a constant a place.

    Σ coefficient(feature, type) · environment feature, `tables/sites.csv`, and a share of -ln p of a small
    network that has seen which residues stand where in families of known structure. Both ask of the backbone and
    of the other residues' types alone, so that wild type and mutant get the same answer. The network's other
    answer, what is found in the protein itself, is left out: each backbone remembers what it was solved with.
    """

    coefficients: Float[Tensor, "features types"]
    share: Float[Tensor, ""]

    def __init__(self) -> None:
        super().__init__()
        rows = {row["feature"]: row for row in read_table("sites.csv", TABLES)}
        table = [[float(rows[name][f"{letter}_kcal_mol"]) for letter in LETTERS] for name in FEATURES]
        (share,) = (float(row["value"]) for row in read_table("preferences.csv", TABLES))
        self.coefficients = nn.Parameter(torch.tensor(table))
        self.share = nn.Parameter(torch.tensor(share))
        self.preferences = trained_preferences()

    def forward(self, places: Places) -> Float[Tensor, "batch residues types"]:
        """Energies in kcal/mol, types in the order of `LETTERS`."""
        tabled = environment(places) @ self.coefficients.to(places.backbone.dtype)
        rarity = self.preferences(places)[..., FAMILY, :]
        return tabled + rarity * self.share.to(rarity.dtype)


def site_energies(model: SiteModel, structure: Structure) -> Float[Tensor, "residues types"]:
    """The model's energies of every residue of a structure; zero for what has no backbone.

    Chains begin with methionine because translation does, not because it is stable there: at a chain's first
    residue it is worth as much as the types are on average.
    """
    places, residues = places_of(structure)
    energies = structure.coords.new_zeros(structure.n_residues, len(LETTERS))
    if len(residues) < 2:
        return energies
    energies = energies.index_copy(0, torch.from_numpy(residues), model(places)[0].to(energies))
    begins = torch.from_numpy(np.unique(structure.topology.chain_of_residue, return_index=True)[1])
    others = [place for place, letter in enumerate(LETTERS) if letter != "M"]
    energies[begins, LETTERS.index("M")] = energies[begins][:, others].mean(-1)
    return energies


@cache
def _weights() -> dict[str, Tensor]:
    with as_file(files(TABLES) / "preferences.safetensors") as path:
        return {name: value.float() for name, value in read_weights(path).items()}


def trained_preferences() -> ResiduePreferences:
    """The network as `scripts/train/residue_preferences.py` left it."""
    network = ResiduePreferences()
    network.load_state_dict(_weights())
    return network.eval()
