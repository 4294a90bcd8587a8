import numpy as np
import pytest
from scipy import ndimage

from napari_s3net.correction.slice_carrying import Appearance, carry
from tests.correction.test_slice_propagation import disc


def test_agreement_is_the_share_that_looks_like_its_label():
    known = np.where(disc(32, 32, 10), 1, 2).astype(np.int32)
    plane = np.where(known == 1, 0.2, 0.8).astype(np.float32)
    looks = Appearance.of(plane, known, np.ones_like(known, bool))
    half = plane.copy()
    half[:, :32] = 0.8
    half[:, 32] = 0.5  # like neither
    _, agreement = carry(known, known == 1, looks, half, np.full_like(known, 2), 3)
    inner = ndimage.binary_erosion(known == 1, np.ones((3, 3)))
    assert agreement == pytest.approx(inner[:, 33:].sum() / inner.sum())
    _, agreement = carry(known, known == 1, looks, plane, np.full_like(known, 2), 3)
    assert agreement == 1
