import numpy as np
import pytest

from napari_s3net.phantom import disc, quadrants


@pytest.mark.parametrize("kind", ["grey", "rgb"])
def test_quadrants_and_disc(kind):
    four, one = quadrants(kind=kind), disc(kind=kind)
    for sample in (four, one):
        assert sample.image.kind == kind
        assert sample.image.shape == sample.mask.shape
    tones = four.image.array.reshape(*four.image.shape, -1).mean(axis=2)
    assert tones[four.mask].mean() > tones[~four.mask].mean() + 50
    assert four.mask[48:, 64:].all()
    assert four.mask.sum() == 48 * 64
    assert one.mask.mean() == pytest.approx(np.pi * 24**2 / (96 * 128), rel=0.02)
    assert one.image.array[one.mask].mean() < one.image.array[~one.mask].mean() - 50


def test_without_noise_the_quadrants_are_flat():
    assert len(np.unique(quadrants(noise=0).image.array)) == 4
