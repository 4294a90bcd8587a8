"""A lesion that was learned and one that is proposed: both have a say."""

import numpy as np

from napari_s3net import segment
from napari_s3net.image import as_image
from napari_s3net.labels.metrics import dice
from napari_s3net.learning.beside_proposal import lesion_beside_proposal
from napari_s3net.phantom.synthetic_skin import synthetic_skin

PHOTOGRAPH = synthetic_skin(4, 96)
IMAGE = as_image(PHOTOGRAPH.array)


def test_what_was_learned_moves_the_proposal_towards_it():
    proposed = segment(IMAGE).mask
    learned = np.roll(proposed, 8, axis=1)
    found, confidence = lesion_beside_proposal(IMAGE, learned.astype(np.float32), 10)
    assert dice(found, learned) > dice(proposed, learned)
    assert 0 < confidence <= 1


def test_more_images_to_learn_from_have_more_to_say():
    learned = np.roll(segment(IMAGE).mask, 8, axis=1)
    little, much = (lesion_beside_proposal(IMAGE, learned.astype(np.float32), n)[0] for n in (1, 40))
    assert dice(much, learned) > dice(little, learned)


def test_what_was_learned_does_not_decide_alone():
    proposed = segment(IMAGE).mask
    found, _ = lesion_beside_proposal(IMAGE, np.full(IMAGE.shape, 0.5, np.float32), 10)
    assert dice(found, proposed) > 0.8


def test_where_nothing_is_clear_there_is_none():
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    assert lesion_beside_proposal(as_image(noise), np.zeros((64, 64), np.float32), 10) is None
