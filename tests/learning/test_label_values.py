"""What the values of a file of labels mean."""

import io

import numpy as np
import PIL.Image
import pytest
from scipy import ndimage

from napari_s3net.errors import InvalidImageError
from napari_s3net.learning.label_values import class_values

ROWS, COLUMNS = np.mgrid[:64, :80]
DISC = (ROWS - 30) ** 2 + (COLUMNS - 40) ** 2 < 20**2


@pytest.mark.parametrize("mask", [DISC, DISC & False, DISC | True, np.stack([DISC, DISC & False, DISC | True])])
def test_what_holds_0_and_255_alone_is_a_mask(mask):
    np.testing.assert_array_equal(class_values(np.where(mask, 255, 0)), mask)


def softened(how):
    mask = np.where(DISC, 255, 0).astype(np.uint8)
    if how == "jpeg":
        file = io.BytesIO()
        PIL.Image.fromarray(mask).save(file, "JPEG", quality=85)
        return np.array(PIL.Image.open(file))
    if how == "blurred":
        return np.rint(ndimage.gaussian_filter(mask.astype(float), 1)).astype(np.uint8)
    size = (60, 48) if how == "smaller" else (200, 160)
    return np.array(PIL.Image.fromarray(mask).resize(size, PIL.Image.Resampling.BILINEAR))


@pytest.mark.parametrize("how", ["jpeg", "blurred", "smaller", "larger"])
@pytest.mark.parametrize("is_volume", [False, True])
def test_a_mask_with_soft_edges_is_refused(how, is_volume):
    soft = softened(how)
    with pytest.raises(InvalidImageError, match=r"soft edges.*Save it with 0 and 255 alone"):
        class_values(np.stack([0 * soft, soft]) if is_volume else soft)


@pytest.mark.parametrize(
    "values", [{1: 1, 2: 2}, {1: 255, 2: 1}, {1: 1, 2: 255}, {1: 128, 2: 255}, {1: 255, 2: 200}, {1: 255, 2: 300}]
)
def test_classes_and_what_nobody_has_looked_at_stay(values):
    labels = np.where(ROWS < 5, values[2], np.where(DISC, values[1], 0))
    np.testing.assert_array_equal(class_values(labels), labels)
    small = np.where((ROWS < 8) & (COLUMNS < 8), 255, 0)
    small[4, 4] = 1
    np.testing.assert_array_equal(class_values(small), small)
