"""A result of a batch in the viewer, from the files that a batch writes."""

import json

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_s3net.batch import FileRow, Item, Plan
from napari_s3net.batch.review import Review
from napari_s3net.errors import InvalidImageError, ReadError
from napari_s3net.image import Geometry
from napari_s3net.io import read_image, write_labels
from napari_s3net.plugin.batch.open_row import OpenedResult, item_of, read_result
from napari_s3net.plugin.layers.result_layer import metadata_of, plain
from napari_s3net.settings import Settings

LABELS = np.where(np.indices((20, 30))[1] < 12, 1, 2).astype(np.int32)


@pytest.fixture
def folders(tmp_path):
    """An image, its labels and mask, and the settings beside the report."""
    import PIL.Image

    source, output = tmp_path / "in", tmp_path / "out"
    for folder in (source, output / "labels", output / "masks", output / "settings"):
        folder.mkdir(parents=True)
    photograph = np.where(LABELS[..., None] == 1, (90, 60, 50), (220, 180, 160)).astype(np.uint8)
    PIL.Image.fromarray(photograph).save(source / "a.png")
    write_labels(output / "labels" / "a.png", LABELS, Geometry.identity(2))
    write_labels(output / "masks" / "a.png", (LABELS == 1).astype(np.uint8), Geometry.identity(2), mask=True)
    (output / "settings" / "abc.json").write_text(json.dumps(Settings(seed=5).to_dict()), encoding="utf-8")
    return source, output


def row(*kinds, **values):
    about = {"settings": "abc", "preset": "skin", "foreground": [1], "names": {"1": "Lesion", "2": "Skin"}}
    outputs = {kind: f"{kind}/a.png" for kind in kinds}
    return FileRow(file="a.png", status="done", settings="s", input="", outputs=outputs, metadata=about, **values)


def opened(folders, one):
    source, output = folders
    viewer = ViewerModel()
    return viewer, OpenedResult(viewer, read_result(Item("a.png", source / "a.png", "a"), one, output))


def test_image_and_labels_come_as_any_result(folders):
    viewer, result = opened(folders, row("labels", "masks"))
    assert [layer.name for layer in viewer.layers] == ["a", "a – S³-Net"]
    np.testing.assert_array_equal(result.layer.data, LABELS)
    about = metadata_of(result.layer)
    assert about["names"] == {1: "Lesion", 2: "Skin"}
    assert list(about["foreground"]) == [1]
    assert (about["preset"], about["settings"]["seed"], about["kind"]) == ("skin", 5, "rgb")


def test_a_mask_alone_is_the_object(folders):
    _, result = opened(folders, row("masks"))
    np.testing.assert_array_equal(result.layer.data, LABELS == 1)
    assert list(metadata_of(result.layer)["foreground"]) == [1]


def test_neither_labels_nor_masks_says_what_to_do(folders):
    with pytest.raises(ReadError, match="Run the batch again"):
        opened(folders, row("overlays"))


def test_labels_of_another_size_are_refused(folders):
    write_labels(folders[1] / "labels" / "a.png", LABELS[:5], Geometry.identity(2))
    with pytest.raises(InvalidImageError, match="do not fit the image any more"):
        opened(folders, row("labels"))


def test_a_lost_settings_file_is_no_reason_not_to_look(folders):
    (folders[1] / "settings" / "abc.json").unlink()
    _, result = opened(folders, row("labels"))
    assert metadata_of(result.layer)["settings"] == Settings().to_dict()


def test_a_change_is_noticed_saved_and_shown_the_next_time(folders):
    one = row("labels", "masks")
    _, result = opened(folders, one)
    assert not result.is_changed
    result.layer.data[:5, 20:] = 1
    assert result.is_changed
    result.save(Review(folders[1]))
    assert not result.is_changed
    assert Review(folders[1]).decision(one) == "corrected"
    mask = read_image(folders[1] / "corrected" / "masks" / "a.png").array
    np.testing.assert_array_equal(mask > 0, result.layer.data == 1)
    _, again = opened(folders, one)
    np.testing.assert_array_equal(again.layer.data, result.layer.data)
    np.testing.assert_array_equal(read_image(folders[1] / "labels" / "a.png").array, LABELS)


def test_another_object_is_a_change_too(folders):
    _, result = opened(folders, row("labels"))
    key, about = next(iter(result.layer.metadata.items()))
    result.layer.metadata = {key: {**about, "foreground": [2]}}
    assert result.is_changed


def test_closing_takes_both_layers_away_and_no_other(folders):
    viewer, result = opened(folders, row("labels"))
    viewer.add_points([[1, 1]], name="mine")
    result.close()
    assert [layer.name for layer in viewer.layers] == ["mine"]
    result.close()


def test_a_layer_that_was_removed_is_not_changed(folders):
    viewer, result = opened(folders, row("labels"))
    result.layer.data[...] = 1
    viewer.layers.remove(next(layer for layer in viewer.layers if plain(layer) is result.layer))
    assert not result.is_changed


def test_the_item_of_a_row(folders):
    source, output = folders
    plan = Plan(source=source, output=output)
    listed = Item("a.png", source / "a.png", "a")
    assert item_of(plan, {"a.png": listed}, row("labels")) is listed
    assert item_of(plan, {}, row("labels")).path == source / "a.png"
    (source / "a.png").unlink()
    with pytest.raises(ReadError, match="is not in"):
        item_of(plan, {}, row("labels"))
