import numpy as np
import pytest

from napari_s3net.errors import InvalidImageError
from napari_s3net.image import as_image
from napari_s3net.learning.methods import network_config, new_network
from napari_s3net.learning.model import LearnedCard, LearnedModel
from napari_s3net.learning.planes import InputNormalisation
from napari_s3net.learning.selection import ImageUncertainty, choose_next, iter_next, measure_uncertainty
from napari_s3net.runtime.generators import drain, follow
from tests.learning.conftest import scene


def made(*unsure_at):
    return [ImageUncertainty(unsure, np.array(place, np.float32)) for unsure, place in unsure_at]


@pytest.fixture
def model(tiny):
    config = network_config(tiny.replace(method="ideal"), 1, 1)
    card = LearnedCard(config=config, settings=tiny, classes={1: "A"}, normalisation=InputNormalisation(1))
    return LearnedModel(new_network(config, 0).eval(), card)


def test_without_corrections_the_least_certain_comes_first():
    assert choose_next(made((0.1, [0, 0]), (0.9, [1, 0]), (0.5, [0, 1])), []) == [1]


def test_what_resembles_a_corrected_one_waits():
    seen = made((0.5, [0, 0]), (0.9, [0.1, 0]), (0.8, [9, 9]), (0.1, [9.1, 9]))
    assert choose_next(seen, [0]) == [2]  # 1 is less certain, but nearly the same as 0
    assert choose_next(seen, [0], 2)[0] == 2
    assert 0 not in choose_next(seen, [0], 9)
    assert sorted(choose_next(seen, [0], 9)) == [1, 2, 3]


def test_certain_images_wait_however_different():
    seen = made((0.0, [50, 50]), (0.9, [3, 0]), (0.8, [2, 2]), (0.5, [0, 0]))
    assert choose_next(seen, [3])[0] != 0
    assert choose_next([], []) == []


def test_an_impression_of_an_image_that_is_no_square(model):
    image = as_image(scene(0, (20, 48))[0])
    impression = measure_uncertainty(model, image)
    assert 0 < impression.uncertainty <= np.log(2) + 1e-6
    assert impression.features.shape == (128,)


def test_the_next_of_a_folder_is_not_a_corrected_one(model, folder):
    paths = sorted((folder / "images").iterdir())
    (folder / "images" / "a9.png").write_text("damaged")
    chosen = drain(iter_next(model, [*paths, folder / "images" / "a9.png"], paths[:4], 3))
    assert len(chosen) == 3
    assert set(chosen) <= set(paths[4:])
    with pytest.raises(InvalidImageError, match="no next one"):
        drain(iter_next(model, paths, paths))
    gone = folder / "images" / "a9.png"
    with pytest.raises(InvalidImageError, match=r"No image without labels can be looked at.*a9\.png"):
        drain(iter_next(model, [*paths, gone], paths))


@pytest.mark.parametrize(("after", "n"), [(1, 0), (4, 0), (5, 1), (8, 1)])
def test_stopped_it_chooses_among_those_looked_at(model, folder, after, n):
    paths = sorted((folder / "images").iterdir())
    chosen = follow(iter_next(model, paths, paths[:4]), lambda step: step.done >= after)
    assert len(chosen) == n
    assert set(chosen) <= set(paths[4:])
