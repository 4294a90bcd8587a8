"""One function for each target; those that vote find the object without any help of the network."""

from dataclasses import fields

import numpy as np
import pytest

from napari_s3net.foreground.proposal import Proposal
from napari_s3net.foreground.propose import FINDERS, NOTHING_STANDS_OUT, SCORERS, propose, reject_surroundings
from napari_s3net.image import as_image
from napari_s3net.labels.metrics import dice
from napari_s3net.preprocessing.prepare import prepare
from napari_s3net.segmentation import segment
from napari_s3net.settings import Settings

H, W = 96, 128
Y, X = np.mgrid[:H, :W]
DISC = (Y - 48) ** 2 + (X - 64) ** 2 < 20**2


def scene(target):
    noise = np.random.default_rng(0).normal(0, 0.02, (H, W))
    if target == "lesion":
        rgb = np.where(DISC[..., None], (0.45, 0.28, 0.2), (0.85, 0.65, 0.55)) + noise[..., None]
        return as_image(rgb.clip(0, 1).astype(np.float32))
    if target == "central":
        return as_image(0.5 + 0.3 * DISC + noise)
    hu = np.where((Y - 48) ** 2 + (X - 64) ** 2 < 44**2, 40, -1000)
    return as_image(np.where(DISC, -800, hu).astype(np.int16))


NAMES = {
    "lesion": ("Lesion", "Skin"),
    "central": ("Object", "Background"),
    "lung": ("Lung", "Other"),
    "body": ("Tissue", "Air"),
}


@pytest.mark.parametrize("target", [*SCORERS, *FINDERS])
def test_each_target_is_found_by_its_own_function(target):
    settings = Settings(target=target)
    plane = prepare(scene(target), settings)
    proposal = propose(np.zeros((H, W), np.int64), plane, settings)
    wanted = (Y - 48) ** 2 + (X - 64) ** 2 < 44**2 if target == "body" else DISC
    assert dice(proposal.object_probability > 0.5, wanted) > 0.93
    assert proposal.names == NAMES[target]
    assert 0.5 < proposal.confidence <= 1
    assert proposal.object_probability.dtype == np.float32
    assert ("0.75 mm were assumed" in proposal.note) == (target == "lung")


def test_the_targets_are_those_of_the_settings():
    choices = next(f.metadata["choices"] for f in fields(Settings) if f.name == "target")
    assert sorted([*SCORERS, *FINDERS]) == sorted(choices)


@pytest.mark.parametrize("target", SCORERS)
def test_what_votes_proposes_what_its_candidates_elect(target):
    settings = Settings(target=target)
    plane = prepare(scene(target), settings)
    clusters = DISC.astype(np.int64)
    views = DISC[None].astype(np.float32) * 0.9
    for given in (None, views):
        proposal = propose(clusters, plane, settings, given)
        elected = SCORERS[target](clusters, plane.features).elect((H, W), views=given)
        assert np.array_equal(proposal.object_probability, elected.object_probability)
        assert proposal.confidence == elected.confidence
    assert proposal.confidence > propose(clusters, plane, settings, 0.7 * views).confidence


@pytest.mark.parametrize(("rows", "stays"), [(57, True), (62, False)])
def test_a_central_object_that_is_most_of_the_image_is_none(rows, stays):
    found = Proposal((np.arange(100) < rows)[:, None] * np.ones((100, 40), np.float32), ("Object", "Background"), 0.8)
    kept = reject_surroundings(found, Settings(target="central"))
    assert kept.object_probability.any() == stays
    assert (kept.confidence, kept.note) == ((0.8, "") if stays else (0.0, NOTHING_STANDS_OUT))
    assert reject_surroundings(found, Settings(target="lesion")) is found


def test_in_a_scan_a_central_object_that_reaches_the_edge_is_none():
    probability = np.zeros((40, 40), np.float32)
    probability[10:20, 10:20] = 0.9
    inside = Proposal(probability, ("Object", "Background"), 0.8)
    assert reject_surroundings(inside, Settings(target="central"), in_scan=True) is inside
    probability = probability.copy()
    probability[15, 10:] = 0.9
    reaching = Proposal(probability, ("Object", "Background"), 0.8)
    assert reject_surroundings(reaching, Settings(target="central")) is reaching
    none = reject_surroundings(reaching, Settings(target="central"), in_scan=True)
    assert (none.object_probability.any(), none.note) == (False, NOTHING_STANDS_OUT)


def test_without_an_object_a_run_names_no_label_as_it():
    """A bright field with a dark rim: nothing central stands out."""
    bright = np.zeros((H, W), bool)
    bright[6:-6, 6:-6] = True
    image = as_image((0.2 + 0.6 * bright + np.random.default_rng(0).normal(0, 0.02, (H, W))).astype(np.float32))
    result = segment(image, settings=Settings(target="central", max_iter=5, working_size=64))
    assert result.foreground == ()
    assert "nothing is proposed" in result.provenance.note
    assert not result.mask.any()
