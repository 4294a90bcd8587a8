"""Few groups of many labels."""

from napari_s3net.labels.groups import OTHER, Group, group_labels, join_clusters
from napari_s3net.labels.measure import Cluster

MEANINGS = {
    1: ["Lesion", -1, 0],
    2: ["Lesion", 0, 0],
    3: ["Lesion", 1, 1],
    4: ["Lesion", 1, 2],
    5: ["Skin", -1, 2],
    6: ["Skin", -1, 1],
    7: ["Skin", 0, 0],
    8: ["Dark corner", 0, 0],
}
NAMES = {
    1: "Lesion, darker",
    2: "Lesion",
    3: "Lesion, a shade lighter",
    4: "Lesion, 2 shades lighter",
    5: "Skin, 2 shades darker",
    6: "Skin, a shade darker",
    7: "Skin",
    8: "Dark corner",
}


def pick(source, *ids):
    return {i: source[i] for i in ids}


def test_the_object_has_shades_and_the_rest_only_names():
    ids = (2, 3, 4, 5, 6, 7, 8)
    groups = group_labels(pick(NAMES, *ids), pick(MEANINGS, *ids), [2, 3, 4], "Lesion")
    assert groups == (
        Group("Lesion", (2,), True),
        Group("Lesion, lighter", (3, 4), True),
        Group("Skin", (5, 6, 7), False),
        Group("Dark corner", (8,), False),
    )


def test_what_is_too_much_becomes_one_object():
    groups = group_labels(NAMES, MEANINGS, [1, 2, 3, 4], "Lesion")
    assert [(group.name, group.ids) for group in groups] == [
        ("Lesion", (1, 2, 3, 4)),
        ("Skin", (5, 6, 7)),
        ("Dark corner", (8,)),
    ]


def test_never_more_than_four_and_every_label_in_exactly_one():
    names = dict.fromkeys(range(1, 30), "")
    meanings = {i: [f"Tissue {i % 7}", 0, 0] for i in range(5, 30)}
    groups = group_labels(names, meanings, [1, 2, 3], "Lung")
    assert len(groups) <= 4
    assert groups[-1].name == OTHER
    assert sorted(i for group in groups for i in group.ids) == list(range(1, 30))
    assert {i for group in groups if group.is_object for i in group.ids} == {1, 2, 3}


def test_a_name_of_the_users_own_is_a_group_of_its_own():
    names = {**pick(NAMES, 2, 5, 6, 7), 6: "Ruler"}
    groups = group_labels(names, pick(MEANINGS, 2, 5, 6, 7), [2], "Lesion")
    assert [(group.name, group.ids) for group in groups] == [("Lesion", (2,)), ("Skin", (5, 7)), ("Ruler", (6,))]


def test_skin_that_was_ticked_is_one_part_of_the_object():
    groups = group_labels(pick(NAMES, 2, 5, 6, 7), pick(MEANINGS, 2, 5, 6, 7), [2, 5, 6, 7], "Lesion")
    assert groups == (Group("Lesion", (2,), True), Group("Skin", (5, 6, 7), True))


def test_what_was_unticked_is_told_apart_from_the_object():
    groups = group_labels(pick(NAMES, 1, 2, 7), pick(MEANINGS, 1, 2, 7), [2], "Lesion")
    assert [(group.name, group.ids) for group in groups] == [
        ("Lesion", (2,)),
        ("Lesion, background", (1,)),
        ("Skin", (7,)),
    ]
    all_others = group_labels(NAMES, MEANINGS, [3], "Lesion")
    assert len({group.name for group in all_others}) == len(all_others)


def test_a_group_is_measured_like_one_label():
    one = Cluster(5, "Skin, darker", False, 100, 0.1, 25.0, "mm²", 100.0, 0.0)
    other = Cluster(7, "Skin", False, 300, 0.3, 75.0, "mm²", 200.0, 0.0)
    skin = Group("Skin", (5, 6, 7), False)
    joined = join_clusters([one, other, Cluster(2, "Lesion", True, 1, 0.0, 1.0, "mm²", 0.0, 0.0)], skin)
    assert (joined.id, joined.name, joined.pixels, joined.area) == (7, "Skin", 400, 100.0)
    assert joined.mean == 175.0
    assert abs(joined.sd - 43.3012) < 1e-3
    assert join_clusters([one], Group("Lesion", (2,), True)) is None
