"""How charges and sticky residues lie along the chain: sums over pairs, by their distance along it."""

import torch
from jaxtyping import Float
from torch import Tensor


def sums_by_separation(values: Float[Tensor, "*batch residues"]) -> Float[Tensor, "*batch residues"]:
    """Σᵢ vᵢ vᵢ₊ₛ for each separation s, by Fourier transform: memory linear in the chain."""
    size = 2 * values.shape[-1]
    spectrum = torch.fft.rfft(values, n=size)
    return torch.fft.irfft(spectrum.abs().square(), n=size)[..., : values.shape[-1]]


def charge_decoration(
    charges: Float[Tensor, "*batch residues"], lengths: Float[Tensor, "*batch"]
) -> Float[Tensor, "*batch"]:
    """SCD = 1/N Σ_{i<j} qᵢ qⱼ |i-j|^½: Sawle and Ghosh, J. Chem. Phys. 143 (2015) 085101; negative when blocky."""
    separation = torch.arange(charges.shape[-1], device=charges.device, dtype=charges.dtype)
    return (sums_by_separation(charges)[..., 1:] * separation[1:].sqrt()).sum(-1) / lengths


def sticky_decoration(
    stickiness: Float[Tensor, "*batch residues"], lengths: Float[Tensor, "*batch"]
) -> Float[Tensor, "*batch"]:
    """SHD = 1/N Σ_{i<j} (λᵢ + λⱼ) / |i-j|: Zheng, Dignon, Brown, Kim, Mittal, J. Phys. Chem. Lett. 11 (2020) 3408.

    Residues of stickiness 0 are taken as absent, so that padding adds nothing.
    """
    there = (stickiness > 0).to(stickiness.dtype)
    separation = torch.arange(stickiness.shape[-1], device=stickiness.device, dtype=stickiness.dtype)
    both = sums_by_separation(stickiness + there) - sums_by_separation(stickiness) - sums_by_separation(there)
    return (both[..., 1:] / separation[1:]).sum(-1) / lengths


def screened_self_energy(
    charges: Float[Tensor, "*batch residues"], lengths: Float[Tensor, "*batch"], debye: float
) -> Float[Tensor, "*batch"]:
    """Charge against charge of an ideal chain, per residue, in e²/Å: Σ qᵢ qⱼ exp(-r/λ_D) / r, r = 5.5 |i-j|^½."""
    separation = torch.arange(charges.shape[-1], device=charges.device, dtype=charges.dtype)[1:]
    distance = 5.5 * separation.sqrt()
    return (sums_by_separation(charges)[..., 1:] * torch.exp(-distance / debye) / distance).sum(-1) / lengths
