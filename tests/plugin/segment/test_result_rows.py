"""Rows of a result's table, without a window."""

from dataclasses import replace

import numpy as np
import pytest

from napari_s3net.image import Geometry, Image
from napari_s3net.labels.measure import measure_clusters
from napari_s3net.plugin.layers.shown import Shown
from napari_s3net.plugin.segment.result_rows import named_clusters, result_rows

LABELS = np.repeat([1, 2, 2, 3], 5)[None].repeat(8, 0)
CLUSTERS = measure_clusters(LABELS, Image(LABELS.astype(np.uint8), Geometry.identity(2), "grey"))


@pytest.fixture
def about():
    return {
        "foreground": [1],
        "names": {1: "Lesion", 2: "Skin", 3: "Skin, darker"},
        "meanings": {2: ["Skin", 0, 0], 3: ["Skin", -1, 0]},
        "geometry": replace(Geometry.identity(3), unit="mm"),
    }


def test_names_and_object_are_those_of_the_result(about):
    about["names"].pop(3)
    named = named_clusters(CLUSTERS, about, "grey")
    assert [(c.id, c.name, c.is_object) for c in named] == [(1, "Lesion", True), (2, "Skin", False), (3, "", False)]


def test_in_ct_what_has_no_name_is_called_by_its_tissue(about):
    clusters = [replace(c, name="Air") for c in CLUSTERS]
    assert [c.name for c in named_clusters(clusters, {**about, "names": {2: "Table"}}, "ct")] == ["Air", "Table", "Air"]


def test_each_cluster_or_groups_of_them(about):
    clusters = named_clusters(CLUSTERS, about, "grey")
    each = result_rows(clusters, about, "grey", Shown.EACH, {1: 4000, 2: 8000})
    assert [(row.ids, row.volume) for row in each] == [((1,), "4.0\u00a0ml"), ((2,), "8.0\u00a0ml"), ((3,), "")]
    groups = result_rows(clusters, about, "grey", Shown.GROUPS, {1: 4000, 2: 8000, 3: 1000})
    assert [(row.ids, row.volume) for row in groups] == [((1,), "4.0\u00a0ml"), ((2, 3), "9.0\u00a0ml")]
    assert [row.volume for row in result_rows(clusters, about, "grey", Shown.GROUPS, {})] == ["", ""]


def test_colours_that_the_user_chose_are_shown(about):
    about["colours"] = {2: "#123456"}
    rows = result_rows(named_clusters(CLUSTERS, about, "grey"), about, "grey", Shown.EACH, {})
    assert rows[1].colour == "#123456"
    assert rows[0].colour not in ("", "#123456")
