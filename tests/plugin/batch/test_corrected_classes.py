"""What the Learn dock keeps among the corrections of a batch, as the batch's review sees it."""

import numpy as np
import PIL.Image
import pytest
from napari.components import ViewerModel

from napari_s3net.batch import BatchReport, FileRow, Item
from napari_s3net.batch.items import input_digest
from napari_s3net.batch.review import Review
from napari_s3net.image import Geometry
from napari_s3net.io import read_labels
from napari_s3net.io.write import write_labels, write_png
from napari_s3net.plugin.batch.corrected_classes import batch_of, row_of
from napari_s3net.plugin.batch.open_row import OpenedResult, read_result
from napari_s3net.plugin.layers.result_layer import metadata_of
from napari_s3net.plugin.learn.open_layers import class_labels, class_segments
from napari_s3net.plugin.learn.result import keep_correction
from tests.learning.conftest import scene

GREY, CLASSES = scene(1)
CLUSTERS = np.where(CLASSES == 1, 3, 1).astype(np.int32)


@pytest.fixture
def folders(tmp_path):
    """Two images that are copies of each other, and the clusters that a batch has found in them."""
    images, output = tmp_path / "images", tmp_path / "output"
    for name in ("a", "within/a"):
        write_png(images / f"{name}.png", GREY)
        write_labels(output / "labels" / f"{name}.png", CLUSTERS, Geometry.identity(2))
    (output / "report.jsonl").touch()
    report = BatchReport(output)
    for name in ("a", "within/a"):
        report.append(row(f"{name}.png", images))
    return images, output


def row(file, images):
    known = {"foreground": [3], "names": {"1": "Skin", "3": "Lesion"}, "preset": "skin"}
    digest = input_digest(images / file)
    return FileRow(
        file=file, status="done", settings="s", input=digest, outputs={"labels": f"labels/{file}"}, metadata=known
    )


def shown(folders, one):
    images, output = folders
    read = read_result(Item(one.file, images / one.file, one.file.removesuffix(".png")), one, output)
    return OpenedResult(ViewerModel(), read)


@pytest.mark.parametrize("decided", ["", "accepted", "rejected", "corrected"])
def test_it_is_what_the_review_shows_and_counts_as_corrected(folders, decided):
    images, output = folders
    one, other = (row(name, images) for name in ("within/a.png", "a.png"))
    if decided == "corrected":
        result = shown(folders, one)
        result.layer.data[:4] = 3
        result.save(Review(output))
    elif decided:
        Review(output).decide(one, decided)
    open_all_the_while = Review(output)
    keep_correction(images / "within" / "a.png", ViewerModel().add_labels(CLASSES), output, images)
    open_all_the_while.move(one.file)
    review = Review(output)
    assert (review.decision(one), review.decision(other)) == ("corrected", None)
    assert review.corrected_share(one) == pytest.approx((CLASSES > 0).mean())
    result = shown(folders, one)
    np.testing.assert_array_equal(result.layer.data, CLASSES)
    assert list(metadata_of(result.layer)["foreground"]) == [1, 2]
    np.testing.assert_array_equal(shown(folders, other).layer.data, CLUSTERS)


def test_corrected_again_in_the_review_its_classes_stay_classes(folders):
    images, output = folders
    one = row("a.png", images)
    keep_correction(images / "a.png", ViewerModel().add_labels(CLASSES), output, images)
    result = shown(folders, one)
    result.layer.data[:4] = 2
    result.save(Review(output))
    again = shown(folders, one)
    np.testing.assert_array_equal(again.layer.data, result.layer.data)
    kept = read_labels(Review(output).corrected_path(one, "masks")).array
    np.testing.assert_array_equal(kept, result.layer.data)


def test_taken_from_the_open_layers_its_classes_stay_classes(folders):
    images, output = folders
    one = row("a.png", images)
    painted = ViewerModel().add_labels(CLASSES)
    painted.features = {"name": ["", "Lesion", "Crust"]}
    keep_correction(images / "a.png", painted, output, images)
    result = shown(folders, one)
    before = [segment.name for segment in class_segments(result.layer)]
    np.testing.assert_array_equal(class_labels(result.layer), CLASSES)
    result.layer.data[:4] = 2
    keep_correction(images / "a.png", result.layer, output, images)
    again = shown(folders, one)
    np.testing.assert_array_equal(again.layer.data, result.layer.data)
    assert set(np.unique(again.layer.data)) == {0, 1, 2}
    assert [segment.name for segment in class_segments(again.layer)] == before
    kept = read_labels(Review(output).corrected_path(one, "masks"))
    np.testing.assert_array_equal(kept.array, result.layer.data)
    assert list(kept.names.values()) == before


def test_of_a_result_that_nobody_has_corrected_the_object_is_taken(folders):
    result = shown(folders, row("a.png", folders[0]))
    np.testing.assert_array_equal(class_labels(result.layer), CLUSTERS == 3)


def test_where_nobody_has_looked_what_the_batch_says_holds(folders):
    images, output = folders
    one = row("a.png", images)
    half = np.where(np.indices(CLASSES.shape)[1] < 20, 2 * (CLASSES == 1), 255).astype(np.int32)
    write_labels(Review(output).corrected_path(one, "masks"), half, Geometry.identity(2))
    expected = np.where(half == 255, CLUSTERS == 3, half)
    np.testing.assert_array_equal(shown(folders, one).layer.data, expected)
    assert Review(output).decision(one) == "corrected"
    assert Review(output).corrected_share(one) is None


def test_labels_that_another_program_has_corrected_are_numbers_and_not_colours(folders):
    images, output = folders
    one = row("a.png", images)
    path = Review(output).corrected_path(one)
    path.parent.mkdir(parents=True)
    picture = PIL.Image.fromarray(CLUSTERS.astype(np.uint8))
    picture.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255])
    picture.save(path)
    np.testing.assert_array_equal(shown(folders, one).layer.data, CLUSTERS)


def test_a_mask_is_the_object(folders):
    images, output = folders
    one = row("a.png", images)
    write_png(Review(output).corrected_path(one, "masks"), np.where(CLASSES, 255, 0).astype(np.uint8))
    result = shown(folders, one)
    np.testing.assert_array_equal(result.layer.data, CLASSES > 0)
    assert metadata_of(result.layer)["names"] == {1: "Object"}


def test_the_result_is_that_of_the_image_and_of_no_other(folders):
    images, output = folders
    assert batch_of(output / "corrected" / "masks") == output
    assert batch_of(output / "corrected" / "labels") is batch_of(images) is None
    assert row_of(output, images / "within" / "a.png", images).file == "within/a.png"
    assert row_of(output, images / "within" / "a.png", images / "within").file == "a.png"
    write_png(images / "a.png", GREY[::-1])
    assert row_of(output, images / "a.png", images) is None, "it is another photograph now"
