"""Which parts of one conformation hold together: cuts of the contact graph where contacts are few."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

CONTACT = 9.0  # Å between Cα atoms: half a contact
SOFTNESS = 1.0  # Å
LOOSE = 0.05  # share of a part's contacts that a cut may sever: one domain has about 0.1, two have 0.01
SMALLEST = 40  # residues


@torch.no_grad()
def split_domains(
    coords: Float[Tensor, "residues 3"], *, loose: float = LOOSE, smallest: int = SMALLEST
) -> Int[Tensor, "residues"]:
    """Domain of each residue, numbered from the first residue on; all 0 where the protein is one piece.

    The graph of Cα contacts is cut in two along its slowest wave, and each part again, as long as a cut severs
    less than a share of the contacts of the smaller part (its conductance).

    Source: Shi and Malik, IEEE PAMI 22 (2000) 888, normalised cuts.

    Args:
        coords: Cα atoms, in Å.
        loose: Largest conductance of a cut between two domains.
        smallest: Fewest residues of a domain.
    """
    contacts = torch.sigmoid((CONTACT - torch.cdist(coords.double(), coords.double())) / SOFTNESS)
    contacts.fill_diagonal_(0)
    labels = torch.zeros(len(coords), dtype=torch.long, device=coords.device)
    waiting, found = [torch.arange(len(coords), device=coords.device)], []
    while waiting:
        part = waiting.pop()
        first, conductance = _best_cut(contacts[part][:, part], smallest)
        if conductance < loose:
            waiting += [part[first], part[~first]]
        else:
            found.append(part)
    for number, part in enumerate(sorted(found, key=lambda part: int(part.min()) if len(part) else 0)):
        labels[part] = number
    return labels


def _best_cut(contacts: Float[Tensor, "n n"], smallest: int) -> tuple[Tensor, float]:
    """The side of the best cut along the second eigenvector of the graph, and its conductance."""
    n = len(contacts)
    if n < 2 * smallest:
        return torch.zeros(n, dtype=torch.bool, device=contacts.device), float("inf")
    degree = contacts.sum(-1).clamp_min(torch.finfo(contacts.dtype).eps)
    scale = degree.rsqrt()
    waves = torch.linalg.eigh(scale[:, None] * contacts * scale).eigenvectors
    order = (waves[:, -2] * scale).argsort()
    within = 2 * torch.triu(contacts[order][:, order], 1).sum(0).cumsum(0)
    volume = degree[order].cumsum(0)
    conductance = (volume - within) / torch.minimum(volume, degree.sum() - volume).clamp_min(1e-9)
    conductance[: smallest - 1] = torch.inf
    conductance[n - smallest :] = torch.inf
    at = int(conductance.argmin())
    first = torch.zeros(n, dtype=torch.bool, device=contacts.device)
    first[order[: at + 1]] = True
    return first, float(conductance[at])
