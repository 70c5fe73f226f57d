import pytest
import torch


@pytest.fixture(scope="session")
def discs():
    """Three flat discs that only a model both flat and compact can tell apart: seed → points, truth.

    Two lie side by side in one plane; the plane of the third crosses it at the centre of the first.
    """

    def made(seed, each=300, dims=20, radius=10.0, apart=25.0, noise=0.3):
        generator = torch.Generator().manual_seed(seed)
        length, angle = torch.rand(2, 3, each, generator=generator, dtype=torch.float64)
        length, angle = radius * length.sqrt(), 2 * torch.pi * angle
        points = noise * torch.randn(3, each, dims, generator=generator, dtype=torch.float64)
        for disc, (x, y) in enumerate([(0, 1), (0, 1), (2, 3)]):
            points[disc, :, x] += length[disc] * angle[disc].cos()
            points[disc, :, y] += length[disc] * angle[disc].sin()
        points[1, :, 0] += apart
        return points.flatten(0, 1), torch.arange(3).repeat_interleave(each)

    return made
