"""What a result says of itself."""

import numpy as np

from napari_s3net.geometry import Geometry
from napari_s3net.provenance import Provenance
from napari_s3net.result import Segmentation
from napari_s3net.settings import Settings


def test_mask_is_every_foreground_label():
    labels = np.array([[0, 1], [2, 3]], np.int32)
    result = Segmentation(labels, (1, 3), Geometry.identity(2), Provenance(settings=Settings()))
    assert result.mask.tolist() == [[False, True], [False, True]]
