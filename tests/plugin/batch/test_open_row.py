"""A result of a batch in the viewer, from the files that a batch writes."""

import json
from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
from napari.components import ViewerModel

from napari_s3net.batch import FileRow, Item, Plan
from napari_s3net.batch.review import Review
from napari_s3net.errors import InvalidImageError, ReadError
from napari_s3net.image import Geometry
from napari_s3net.io import read_image, read_labels, write_labels
from napari_s3net.learning.label_scan import scan_labels
from napari_s3net.plugin.batch.open_row import OpenedResult, item_of, read_result
from napari_s3net.plugin.contributions.open_files import next_image
from napari_s3net.plugin.correct.autosave import load
from napari_s3net.plugin.layers.file_of import file_of
from napari_s3net.plugin.layers.proxy import plain
from napari_s3net.plugin.layers.result_layer import is_result_of, metadata_of
from napari_s3net.plugin.layers.source import source_of
from napari_s3net.plugin.layers.stroke_layer import add_strokes
from napari_s3net.plugin.layers.target import previewed
from napari_s3net.plugin.layers.undo import undo_log_of
from napari_s3net.plugin.learn.open_layers import open_labels
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


@pytest.mark.parametrize("kind", ["labels", "masks"])
@pytest.mark.parametrize("letters", ["LPS", "RAS", "PIR", "SLA"])
def test_what_another_program_has_corrected_lies_on_the_image_by_its_place(folders, kind, letters):
    source, output = folders
    array = np.random.default_rng(0).integers(0, 200, (20, 20, 20)).astype(np.int16)
    scan = sitk.GetImageFromArray(array)
    scan.SetOrigin((5, 6, 7))
    sitk.WriteImage(scan, str(source / "a.nii.gz"))
    image = read_image(source / "a.nii.gz")
    labels = (image.array > 100).astype(np.int32) + 1
    for own in ("labels", "masks"):
        write_labels(output / own / "a.nii.gz", np.ones_like(labels), image.geometry)
    by_hand = sitk.GetImageFromArray((array > 100).astype(np.uint8) + (kind == "labels"))
    by_hand.CopyInformation(scan)
    (output / "corrected" / kind).mkdir(parents=True)
    sitk.WriteImage(sitk.DICOMOrient(by_hand, letters), str(output / "corrected" / kind / "a.nii.gz"))
    outputs = {own: f"{own}/a.nii.gz" for own in ("labels", "masks")}
    one = replace(row(), file="a.nii.gz", outputs=outputs)
    found = read_result(Item("a.nii.gz", source / "a.nii.gz", "a"), one, output).labels
    np.testing.assert_array_equal(found, labels - (kind == "masks"))
    by_hand.SetOrigin((50, 6, 7))
    sitk.WriteImage(by_hand, str(output / "corrected" / kind / "a.nii.gz"))
    with pytest.raises(InvalidImageError, match=r"do not fit the image any more.*elsewhere in space"):
        read_result(Item("a.nii.gz", source / "a.nii.gz", "a"), one, output)


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
    assert result.share == pytest.approx((12 * 20 + 5 * 10) / 600)
    result.save(Review(folders[1]))
    assert not result.is_changed
    assert Review(folders[1]).decision(one) == "corrected"
    assert Review(folders[1]).corrected_share(one) == result.share
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


def test_whether_a_result_is_seen_and_how_it_is_shown_again(folders):
    viewer, result = opened(folders, row("labels"))
    assert result.is_in_view
    result.layer.visible = False  # to look at the image alone
    assert result.is_in_view
    viewer.add_image(np.zeros((20, 30)), name="other")
    assert not result.is_in_view
    result.show_alone()
    assert result.is_in_view
    assert not viewer.layers["other"].visible
    viewer.layers.remove(result.image_layer)
    assert result.is_in_view, "nothing is there to be shown"


def test_closing_takes_both_layers_away_and_no_other(folders):
    viewer, result = opened(folders, row("labels"))
    viewer.add_points([[1, 1]], name="mine")
    result.close()
    assert [layer.name for layer in viewer.layers] == ["mine"]
    result.close()


def another(folders, labels=LABELS[::-1, ::-1], kind="RGB"):
    """A second image with its own labels, as it is read for the viewer."""
    import PIL.Image

    source, output = folders
    photograph = np.full((*labels.shape, 3), (200, 100, 50), np.uint8)
    PIL.Image.fromarray(photograph).convert(kind).save(source / "b.png")
    write_labels(output / "labels" / "b.png", labels, Geometry.identity(2))
    about = {"settings": "abc", "preset": "skin", "foreground": [2], "names": {"2": "Naevus"}}
    one = FileRow(
        file="b.png", status="done", settings="s", input="", outputs={"labels": "labels/b.png"}, metadata=about
    )
    return read_result(Item("b.png", source / "b.png", "b"), one, output)


def test_the_next_result_takes_the_layers_of_the_one_before(folders):
    viewer, before = opened(folders, row("labels"))
    strokes = add_strokes(viewer, before.layer)
    strokes.data[:3, :3] = 1
    before.layer.data_setitem((np.array([0]), np.array([0])), 2)
    layers = before.image_layer, before.layer
    labels = np.ones((40, 50), np.int32)
    after = OpenedResult(viewer, another(folders, labels), before)
    assert (after.image_layer, after.layer) == layers
    assert [layer.name for layer in viewer.layers] == ["b", "b – S³-Net", "b – S³-Net – strokes"]
    assert not plain(strokes).data.any()
    assert after.image_layer.data[0, 0].tolist() == [200, 100, 50]
    after.layer.undo()
    np.testing.assert_array_equal(after.layer.data, labels)
    assert metadata_of(after.layer)["names"] == {2: "Naevus"}
    assert is_result_of(after.layer, after.image_layer)
    assert not after.is_changed
    again = OpenedResult(
        viewer, read_result(Item("a.png", folders[0] / "a.png", "a"), row("labels"), folders[1]), after
    )
    assert [layer.name for layer in viewer.layers] == ["a", "a – S³-Net", "a – S³-Net – strokes"]
    np.testing.assert_array_equal(again.layer.data, LABELS)


def test_images_know_their_file_also_when_they_take_the_layers_of_others(folders):
    viewer, before = opened(folders, row("labels"))
    assert file_of(before.image_layer) == folders[0] / "a.png"
    after = OpenedResult(viewer, another(folders, np.ones((40, 50), np.int32)), before)
    assert after.image_layer is before.image_layer
    assert file_of(after.image_layer) == folders[0] / "b.png"
    assert next_image(folders[0] / "a.png") == file_of(after.image_layer)
    source = source_of(after.image_layer, viewer.dims.point, viewer.dims.order)
    assert source.path == source.origin.path == str(folders[0] / "b.png")
    files = [folders[0] / "a.png", folders[0] / "b.png"]
    assert open_labels(viewer.layers, files) == [(files[1], after.layer)]


def test_one_of_several_series_in_a_folder_has_no_file_of_its_own(folders):
    item = Item("a.png", folders[0] / "a.png", "a", is_whole=False)
    assert OpenedResult(ViewerModel(), read_result(item, row("labels"), folders[1])).image_layer.source.path is None


def test_while_a_run_previews_in_it_nothing_is_saved(folders):
    _, result = opened(folders, row("labels"))
    result.layer.data_setitem((np.array([0]), np.array([0])), 2)
    previewed.add(result.layer)
    with pytest.raises(InvalidImageError, match="shows a preview"):
        result.save(Review(folders[1]))
    assert result.share is None
    assert not (folders[1] / "corrected").exists()
    previewed.discard(result.layer)
    result.save(Review(folders[1]))
    assert (folders[1] / "corrected").is_dir()


def grey(folders, before):
    return another(folders, kind="L")


def moved(folders, before):
    before.image_layer.translate = 3, 0
    return another(folders)


def sized(folders, before):
    before.layer.scale = 2, 2
    return another(folders)


@pytest.mark.parametrize(("names", "values"), [({"1": "Lesion", "2": "Skin"}, (1, 2)), ({"1": "Lesion"}, (1,))])
def test_corrections_of_a_learned_model_are_learned_from_class_by_class(folders, names, values):
    source, output = folders
    one = row("labels", "masks")
    one.metadata.update(model={"digest": "0"}, names=names, foreground=sorted(map(int, names)))
    _, result = opened(folders, one)
    result.layer.data = np.where(LABELS == 2, 2 if "2" in names else 0, LABELS)
    result.layer.data[:5, 20:] = 1
    result.save(Review(output))
    assert scan_labels(source, output).values == values
    mask = read_labels(output / "corrected" / "masks" / "a.png").array
    np.testing.assert_array_equal(mask if len(values) > 1 else mask > 0, result.layer.data)


def test_labels_of_a_learned_model_are_called_so_also_in_the_layers_of_another(folders):
    one = row("labels")
    one.metadata["model"] = {"digest": "0"}
    viewer, before = opened(folders, one)
    assert [layer.name for layer in viewer.layers] == ["a", "a – learned"]
    add_strokes(viewer, before.layer)
    OpenedResult(viewer, another(folders), before)
    assert [layer.name for layer in viewer.layers] == ["b", "b – S³-Net", "b – S³-Net – strokes"]


@pytest.mark.parametrize("change", [grey, moved, sized])
def test_a_layer_that_does_not_suit_goes(folders, change):
    viewer, before = opened(folders, row("labels"))
    old = before.layer
    after = OpenedResult(viewer, change(folders, before), before)
    assert after.layer is not old
    assert [layer.name for layer in viewer.layers] == ["b", "b – S³-Net"]


def test_where_the_labels_were_removed_new_layers_come(folders):
    viewer, before = opened(folders, row("labels"))
    viewer.layers.remove(viewer.layers[1])
    OpenedResult(viewer, another(folders), before)
    assert [layer.name for layer in viewer.layers] == ["b", "b – S³-Net"]


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


@pytest.mark.viewer
def test_docks_take_the_next_result_for_a_new_one(folders, make_napari_viewer, tmp_path, monkeypatch):
    monkeypatch.setattr("napari_s3net.plugin.correct.autosave.session_folder", lambda: tmp_path / "sessions")
    viewer = make_napari_viewer()
    segment = viewer.window.add_plugin_dock_widget("napari-s3net", "Segment")[1]
    correct = viewer.window.add_plugin_dock_widget("napari-s3net", "Correct")[1]
    read = read_result(Item("a.png", folders[0] / "a.png", "a"), row("labels"), folders[1])
    before = OpenedResult(viewer, read)
    segment.panel.table.clusters.renamed.emit(1, "Ulcer")
    correct.brush.take("object")
    strokes = correct.editor.strokes.layer
    strokes.data_setitem((np.array([2]), np.array([20])), strokes.selected_label)
    assert correct.obstacle
    after = OpenedResult(viewer, another(folders, kind="RGB"), before)
    assert correct.editor.layer is after.layer is segment.result.layer
    assert not correct.editor.strokes.layer.data.any()
    assert correct.obstacle == ""
    assert correct.combo.currentText() == "b – S³-Net"
    assert segment.source.name == "b"
    assert metadata_of(after.layer)["names"] == {1: "", 2: "Naevus"}
    assert undo_log_of(viewer).undo() == "Nothing more to undo."
    correct.editor.revert()
    np.testing.assert_array_equal(after.layer.data, LABELS[::-1, ::-1])
    segment.autosave.save()
    segment.autosave.wait()
    saved = {one.image: one for one in map(load, (tmp_path / "sessions").rglob("*.npz"))}
    assert saved["a"].metadata["names"][1] == "Ulcer"
    assert saved["a"].strokes.any()
    np.testing.assert_array_equal(saved["a"].labels, LABELS)
    if "b" in saved:
        assert not saved["b"].strokes.any()
