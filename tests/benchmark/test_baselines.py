"""The plain methods on made-up images and, where they are, on real ones."""

from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from napari_s3net.benchmark.baselines import BASELINES, suits
from napari_s3net.io import read_image
from napari_s3net.labels.metrics import best_clusters, dice
from tests.benchmark.discs import disc, skin

DATA = Path(__file__).parents[2].parent / "shared" / "data"
WORKING = [name for name in BASELINES if name != "one-label"]
ANYWHERE = [name for name in WORKING if suits(name, "rgb")]


def chest():
    """A slice in HU, air around a body with two lungs, and the lungs' mask."""
    shape = (128, 128)
    lungs = disc(shape, (64, 42), 16) | disc(shape, (64, 86), 16)
    vessel = disc(shape, (64, 42), 3)
    hu = np.where(disc(shape, (64, 64), 56), 40, -1000)
    hu = np.where(lungs & ~vessel, -850, hu) + np.random.default_rng(0).normal(0, 15, shape)
    return hu.astype(np.int16), lungs


def check(proposal, shape):
    assert proposal.mask.shape == proposal.labels.shape == shape
    assert proposal.mask.dtype == bool
    assert proposal.labels.dtype == np.int32
    assert proposal.labels.min() >= 1
    assert not set(np.unique(proposal.labels[proposal.mask])) & set(np.unique(proposal.labels[~proposal.mask]))


@pytest.mark.parametrize("name", ANYWHERE)
@pytest.mark.parametrize("shape", [(60, 80), (300, 257)])
def test_finds_a_disc_on_skin(name, shape):
    image, mask = skin(shape, (shape[0] // 2, shape[1] // 2 - 5), min(shape) // 4)
    before = image.copy()
    proposal = BASELINES[name](image, "rgb")
    check(proposal, shape)
    assert dice(proposal.mask, mask) > 0.93
    assert np.array_equal(image, before)
    best = np.isin(proposal.labels, best_clusters(proposal.labels, mask))
    assert dice(best, mask) >= dice(proposal.mask, mask)


@pytest.mark.parametrize("name", ANYWHERE)
@pytest.mark.parametrize("bright", [False, True])
def test_finds_a_disc_darker_or_brighter_than_its_surroundings(name, bright):
    image, mask = skin((90, 90), (45, 45), 20)
    grey = image[..., 0] if not bright else 255 - image[..., 0]
    assert dice(BASELINES[name](grey, "grey").mask, mask) > 0.93


@pytest.mark.parametrize("name", WORKING)
def test_finds_lungs_and_not_the_air_around(name):
    hu, lungs = chest()
    proposal = BASELINES[name](hu, "ct")
    check(proposal, hu.shape)
    assert dice(proposal.mask, lungs) > 0.93
    assert not proposal.mask[0].any()
    assert proposal.mask[64, 42], "the vessel belongs to the lung"


@pytest.mark.parametrize("name", ANYWHERE)
def test_is_the_same_every_time(name):
    image, _ = skin()
    assert np.array_equal(BASELINES[name](image, "rgb").labels, BASELINES[name](image, "rgb").labels)


@pytest.mark.parametrize("name", ["kmeans2", "kmeans3"])
def test_black_corners_are_no_lesion(name):
    image, mask = skin((120, 120), (60, 60), 25)
    tube = ~disc(image.shape[:2], (60, 60), 72)
    image[tube] = 5
    assert dice(BASELINES[name](image, "rgb").mask, mask) > 0.9


@pytest.mark.parametrize("name", WORKING)
def test_says_something_where_there_is_nothing_to_find(name):
    noise = ndimage.gaussian_filter(np.random.default_rng(0).normal(0, 1, (64, 64)), 1).astype(np.float32)
    check(BASELINES[name](noise, "grey"), (64, 64))


def test_the_control_calls_everything_the_object():
    proposal = BASELINES["one-label"](skin()[0], "rgb")
    assert proposal.mask.all()
    assert np.unique(proposal.labels).tolist() == [1]


# What plain methods are known to reach, less what so few images may differ by.
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "folder", "least"),
    [("otsu", "ph2", 0.87), ("otsu", "ham10000", 0.84), ("kmeans2", "ham10000", 0.8), ("threshold", "lung_ct", 0.8)],
)
def test_reaches_what_plain_methods_are_known_to_reach(name, folder, least):
    if not (DATA / folder).is_dir():
        pytest.skip(f"{DATA / folder} is not there: real images are needed")
    scores = []
    for path in sorted((DATA / folder / "images").iterdir())[::5]:
        image, mask = read_image(path), read_image(DATA / folder / "masks" / f"{path.stem}.png")
        scores.append(dice(BASELINES[name](image.array, image.kind).mask, mask.array > 0))
    assert np.mean(scores) > least
