import numpy as np
import pytest

from napari_s3net.benchmark.correctors import CORRECTORS
from napari_s3net.image import as_image
from napari_s3net.labels.metrics import dice
from napari_s3net.settings import preset_settings
from tests.benchmark.discs import disc, skin

SHAPE = (60, 80)
SETTINGS = preset_settings("skin")


@pytest.fixture
def scene():
    """A photograph, its mask, and a first mask that lies too far to the left."""
    image, mask = skin(SHAPE, (30, 40), 14)
    return as_image(image), mask, disc(SHAPE, (30, 33), 12)


@pytest.mark.parametrize("name", CORRECTORS)
def test_what_is_painted_holds_and_the_rest_gets_better(name, scene):
    image, mask, start = scene
    strokes = np.zeros(SHAPE, np.uint8)
    strokes[disc(SHAPE, (30, 50), 2)] = 1
    strokes[disc(SHAPE, (30, 23), 2)] = 2
    found = CORRECTORS[name](image, start, SETTINGS, "cpu").rerun(start, strokes)
    assert (found.dtype, found.shape) == (bool, SHAPE)
    assert found[strokes == 1].all()
    assert not found[strokes == 2].any()
    assert dice(found, mask) > dice(start, mask) + 0.05


@pytest.mark.parametrize("name", ["random-walker", "random-forest"])
def test_with_strokes_of_one_side_only_the_first_mask_stays_but_for_them(name):
    """A first mask of nothing: there is no example of the object."""
    image, nothing = as_image(skin(SHAPE)[0]), np.zeros(SHAPE, bool)
    strokes = np.zeros(SHAPE, np.uint8)
    strokes[5:8, 5:8] = 2
    assert not CORRECTORS[name](image, nothing, SETTINGS, "cpu").rerun(nothing, strokes).any()
