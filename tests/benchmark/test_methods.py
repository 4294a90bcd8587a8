"""Names, settings and digests of the methods."""

from dataclasses import fields

import pytest

from napari_s3net.benchmark.methods import (
    ABLATIONS,
    CONTROL,
    NETWORKS,
    RELEASED_ITERATIONS,
    NetworkRuns,
    chosen,
    digest,
    possible,
    run_method,
    seeds_of,
    version,
)
from napari_s3net.errors import InvalidSettingsError
from napari_s3net.image import as_image
from napari_s3net.settings import Settings, presets
from tests.benchmark.discs import skin


def test_the_control_comes_first_and_networks_last():
    assert chosen(["s3net", "otsu"], "rgb") == [CONTROL, "otsu", "s3net"]
    assert chosen([], "rgb") == [CONTROL]


def test_the_lung_threshold_is_left_out_where_there_is_no_hu():
    assert "threshold" not in chosen(["threshold"], "rgb")
    assert "threshold" in chosen(["threshold"], "ct")


def test_an_unknown_method_is_named():
    with pytest.raises(InvalidSettingsError, match=r"no method 'otsi'\. Methods are: one-label, otsu"):
        chosen(["otsi"], "rgb")


@pytest.mark.parametrize("name", ABLATIONS)
def test_an_ablation_changes_just_its_settings_and_is_left_out_without_them(name):
    known = {f.name for f in fields(Settings)}
    assert possible(name, "rgb") == (set(ABLATIONS[name]) <= known)
    assert (name in chosen(ABLATIONS, "rgb")) == possible(name, "rgb")
    if possible(name, "rgb"):
        ours, without = (NetworkRuns().settings(m, "skin", 0).to_dict() for m in ("s3net", name))
        assert {k: v for k, v in without.items() if v != ours[k]} == ABLATIONS[name]


def test_losses_can_be_left_out_in_every_version():
    assert {"s3net:no-transformation", "s3net:no-spatial"} <= set(chosen(ABLATIONS, "rgb"))


def test_settings_come_from_preset_then_changes_then_method():
    runs = NetworkRuns(changes={"max_iter": 7, "weight_spatial": 3.0, "variant": "released"})
    settings = runs.settings("s3net:no-spatial", "ct-lung", 5)
    assert settings == presets["ct-lung"].settings.replace(max_iter=7, weight_spatial=0.0, variant="s3net", seed=5)


def test_the_published_variant_runs_as_long_as_it_does_at_least():
    assert NetworkRuns().settings("released", "skin", 0).max_iter == RELEASED_ITERATIONS
    assert NetworkRuns(changes={"max_iter": 2}).settings("released", "skin", 0).max_iter == 2


def test_only_networks_have_seeds():
    assert list(seeds_of("s3net", 3)) == [0, 1, 2]
    assert list(seeds_of("otsu", 3)) == [0]


def test_digests_tell_requests_apart():
    requests = [NetworkRuns(), NetworkRuns("skin"), NetworkRuns("mri"), NetworkRuns("skin", {"max_iter": 3})]
    digests = {digest(name, runs) for runs in requests for name in ("s3net", "released", "s3net:no-spatial")}
    assert len(digests) == 12
    assert digest("s3net", NetworkRuns("skin")) == digest("s3net", NetworkRuns("skin", {}))
    assert digest("otsu", NetworkRuns("skin")) == ""
    with pytest.raises(InvalidSettingsError, match="no preset 'skn'"):
        digest("s3net", NetworkRuns("skn"))


def test_versions_follow_the_source():
    assert version("otsu") == version("kmeans2") != version("s3net") == version("released")
    assert version("otsu").partition("+")[0] == version("s3net").partition("+")[0]


@pytest.mark.parametrize("name", ["s3net", "s3net:no-transformation"])
def test_networks_give_labels_and_a_mask(name):
    image, _ = skin((48, 64))
    runs = NetworkRuns(changes={"max_iter": 2, "working_size": 32, "channels": 4, "clusters": 3}, device="cpu")
    proposal = run_method(name, as_image(image), 1, runs)
    assert proposal.labels.shape == proposal.mask.shape == (48, 64)
    assert name in NETWORKS
