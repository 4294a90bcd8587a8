"""Between the table and the layer, without a window: layers and sliders are a model."""

from dataclasses import replace

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.utils.colormaps import DirectLabelColormap
from qtpy.QtCore import QObject
from qtpy.QtWidgets import QApplication

from napari_s3net.image import Geometry
from napari_s3net.plugin.correct.renaming import choose_object
from napari_s3net.plugin.layers.locks import locks_of
from napari_s3net.plugin.layers.palette import CLEAR, colour_table
from napari_s3net.plugin.layers.placement import KEY
from napari_s3net.plugin.layers.plane_key import PlaneKey
from napari_s3net.plugin.layers.result_layer import metadata_of
from napari_s3net.plugin.layers.shown import Shown, choose_shown
from napari_s3net.plugin.layers.source import source_of
from napari_s3net.plugin.layers.stack import Stack
from napari_s3net.plugin.layers.target import Target
from napari_s3net.plugin.layers.undo import undo_log_of
from napari_s3net.plugin.layers.volume_target import VolumeTarget
from napari_s3net.plugin.segment import hovered_cluster, result_commands
from napari_s3net.plugin.segment.result_controller import ResultController
from napari_s3net.plugin.segment.saved_line import note_saved
from napari_s3net.plugin.widgets.result_panel import ResultPanel
from napari_s3net.provenance import Provenance
from napari_s3net.result import Segmentation
from napari_s3net.settings import presets

pytestmark = pytest.mark.viewer


@pytest.fixture
def viewer(photograph):
    viewer = ViewerModel()
    viewer.add_image(photograph, name="mole", scale=(0.5, 0.5), units=("mm", "mm"))
    return viewer


@pytest.fixture
def layer(viewer):
    """A result with a lesion of 24 × 24 pixels."""
    labels = np.full((48, 64), 2, np.int32)
    labels[:24, :24] = 1
    made, names = Provenance(settings=presets["skin"].settings), {1: "Lesion", 2: "Skin"}
    result = Segmentation(labels, (1,), Geometry.identity(2), made, names, object_name="Lesion")
    source = source_of(viewer.layers[0], viewer.dims.point, (0, 1))
    return Target(viewer, viewer.layers[0], source, new_layer=False).finish(result, "skin")


@pytest.fixture
def outcome(viewer, layer, qtbot):
    panel, parent = ResultPanel(), QObject()
    qtbot.addWidget(panel)
    outcome = ResultController(viewer, panel, parent)
    outcome.panel, outcome.owner = panel, parent
    choose_shown(layer, Shown.EACH)
    outcome.show(layer, source_of(viewer.layers[0], viewer.dims.point, (0, 1)))
    yield outcome
    outcome.release()


def rows(outcome):
    return outcome.panel.table.clusters.rows


def test_the_table_says_share_area_and_intensity(outcome):
    lesion, skin = rows(outcome)
    assert (lesion.name, lesion.is_object) == ("Lesion", True)
    assert lesion.share.replace("\u00a0", " ") == "18.8 %"
    assert lesion.area.replace("\u00a0", " ") == "144 mm²"
    assert not skin.is_object
    assert outcome.panel.line.text().replace("\u00a0", " ") == "Lesion 144 mm² (19 % of the image)"


def test_a_tick_changes_mask_and_colours_at_once(outcome, viewer, layer):
    outcome.ask("object_layer", "auto")
    mask = viewer.layers["mole – object"]
    assert mask.data.sum() == 24 * 24
    outcome.panel.table.clusters.ticked.emit(2, True)
    assert metadata_of(layer)["foreground"] == [1, 2]
    assert mask.data.all()
    assert layer.colormap.color_dict[2][3] == 1.0
    assert rows(outcome)[1].is_object
    outcome.panel.table.clusters.ticked.emit(1, False)
    assert mask.data.sum() == 48 * 64 - 24 * 24


def test_a_new_name_is_kept_with_the_layer(outcome, layer):
    outcome.panel.table.clusters.renamed.emit(2, "Ruler")
    assert metadata_of(layer)["names"][2] == "Ruler"
    assert rows(outcome)[1].name == "Ruler"


def test_a_tick_and_a_name_are_steps_of_undo(outcome, viewer, layer):
    outcome.panel.table.clusters.ticked.emit(2, True)
    outcome.panel.table.clusters.renamed.emit(2, "Ruler")
    log = undo_log_of(viewer)
    log.undo()
    assert metadata_of(layer)["names"][2] == "Skin"
    log.undo()
    assert metadata_of(layer)["foreground"] == [1]
    assert not rows(outcome)[1].is_object
    log.redo()
    assert metadata_of(layer)["foreground"] == [1, 2]


def test_a_click_selects_the_label_for_painting(outcome, viewer, layer):
    outcome.panel.table.picked.emit(2)
    assert viewer.layers.selection.active is layer
    assert layer.selected_label == 2


@pytest.fixture
def outlined(monkeypatch):
    """What is outlined, one entry a drawing: pixels, or None for nothing."""
    drawn = []
    monkeypatch.setattr(hovered_cluster.Outline, "draw", lambda self, layer, region: drawn.append(int(region.sum())))
    monkeypatch.setattr(hovered_cluster.Outline, "clear", lambda self: drawn.append(None))
    return drawn


def test_hovering_outlines_the_cluster_and_leaving_ends_it(outcome, outlined, layer, qtbot):
    colours = layer.colormap
    outcome.panel.table.hovered.emit(1)
    qtbot.waitUntil(lambda: outlined == [24 * 24], timeout=1000)
    outcome.panel.table.hovered.emit(None)
    qtbot.waitUntil(lambda: outlined == [24 * 24, None], timeout=1000)
    assert layer.colormap is colours


def test_the_outline_follows_the_brush(outcome, outlined, layer, qtbot):
    outcome.panel.table.hovered.emit(1)
    qtbot.waitUntil(lambda: bool(outlined), timeout=1000)
    layer.data_setitem((np.array([40]), np.array([60])), 1)
    qtbot.waitUntil(lambda: outlined[-1] == 24 * 24 + 1, timeout=2000)


def test_the_object_is_shown_alone_until_clusters_are_asked_for(outcome, layer):
    outcome.panel.shown_chosen.emit(Shown.OBJECT)
    assert tuple(layer.colormap.color_dict[2]) == CLEAR
    assert rows(outcome) == ()
    outcome.panel.shown_chosen.emit(Shown.GROUPS)
    assert layer.colormap.color_dict[2][3] > 0
    assert [row.name for row in rows(outcome)] == ["Lesion", "Skin"]


def test_it_stays_through_another_result(outcome, viewer, layer):
    outcome.panel.shown_chosen.emit(Shown.OBJECT)
    layer.colormap = DirectLabelColormap(color_dict=colour_table([1, 2], [1]))
    outcome.show(layer, source_of(viewer.layers[0], viewer.dims.point, (0, 1)))
    assert tuple(layer.colormap.color_dict[2]) == CLEAR


def test_a_group_is_ticked_named_outlined_and_merged_as_one(outcome, outlined, layer, qtbot):
    """Two shades of skin are one row; what is done to the row is done to both."""
    layer.data_setitem((np.arange(48), np.full(48, 63)), 3)
    about = layer.metadata[KEY]
    names, meanings = {1: "Lesion", 2: "Skin", 3: "Skin, darker"}, {2: ["Skin", 0, 0], 3: ["Skin", -1, 0]}
    layer.metadata = {KEY: {**about, "names": names, "meanings": meanings}}
    outcome.panel.shown_chosen.emit(Shown.GROUPS)
    outcome.measure()
    skin = rows(outcome)[1]
    assert (skin.name, skin.ids) == ("Skin", (2, 3))
    assert layer.colormap.color_dict[2].tolist() == layer.colormap.color_dict[3].tolist()
    outcome.panel.table.hovered.emit(2)
    qtbot.waitUntil(lambda: bool(outlined) and outlined[-1] == 48 * 64 - 24 * 24, timeout=1000)
    outcome.panel.table.clusters.renamed.emit(2, "Arm")
    assert metadata_of(layer)["names"] == {1: "Lesion", 2: "Arm", 3: "Arm"}
    outcome.panel.table.clusters.ticked.emit(2, True)
    assert metadata_of(layer)["foreground"] == [1, 2, 3]


def test_a_preview_is_not_taken_for_a_result(viewer, layer, qtbot):
    panel, parent, previewing = ResultPanel(), QObject(), [True]
    qtbot.addWidget(panel)
    choose_shown(layer, Shown.GROUPS)
    outcome = ResultController(viewer, panel, parent, lambda: previewing[0])
    outcome.show(layer, source_of(viewer.layers[0], viewer.dims.point, (0, 1)))
    assert not panel.table.clusters.rows
    previewing[0] = False
    outcome.measure()
    assert len(panel.table.clusters.rows) == 2
    outcome.release()


def test_painting_is_measured_after_a_pause(outcome, layer, qtbot):
    layer.data_setitem(tuple(np.indices((10, 10)).reshape(2, -1)), 5)
    assert len(rows(outcome)) == 2
    qtbot.waitUntil(lambda: len(rows(outcome)) == 3, timeout=2000)
    assert rows(outcome)[2].name == "Cluster 5"
    layer.undo()
    qtbot.waitUntil(lambda: len(rows(outcome)) == 2, timeout=2000)


@pytest.mark.parametrize(
    ("what", "words"),
    [("copy_python", "current_viewer().layers['mole']"), ("copy_command", "was not opened from a file")],
)
def test_copy(outcome, monkeypatch, what, words):
    said = []
    monkeypatch.setattr(result_commands, "show_info", said.append)
    outcome.ask(what, "cpu")
    assert words in QApplication.clipboard().text()
    assert said == ["Copied to the clipboard."]


@pytest.mark.parametrize("what", ["labels", "mask"])
def test_save_asks_for_a_file(outcome, layer, monkeypatch, what):
    asked = []
    monkeypatch.setattr(result_commands, "ask_and_save", lambda *given: asked.append(given[1:3]))
    outcome.ask(f"save_{what}", "cpu")
    assert asked == [(what, layer)]


def test_what_has_changed_since_it_was_saved_is_said_beside_save(outcome, layer, viewer, qtbot, tmp_path):
    def says(words):
        qtbot.waitUntil(lambda: outcome.panel.saved.text() == words, timeout=5000)
        assert outcome.panel.saved.isVisibleTo(outcome.panel) is bool(words)

    says("")
    note_saved(layer, tmp_path / "mole_labels.png", "labels")
    says("Saved as mole_labels.png.")
    outcome.panel.table.clusters.renamed.emit(2, "Hair")
    says("Changed since it was saved.")
    note_saved(layer, tmp_path / "mole_mask.png", "mask")
    says("Saved as mole_mask.png.")
    outcome.panel.table.clusters.ticked.emit(2, True)
    says("Changed since it was saved.")
    undo_log_of(viewer).undo()
    says("Saved as mole_mask.png.")
    layer.data_setitem((np.array([30]), np.array([30])), 1)
    says("Changed since it was saved.")
    outcome.show(None, None)
    says("")


def test_of_a_stack_every_label_has_its_volume_and_keeps_it_up_to_date(qtbot):
    viewer, panel, parent = ViewerModel(), ResultPanel(), QObject()
    qtbot.addWidget(panel)
    image = viewer.add_image(np.zeros((4, 48, 64), np.int16), name="scan", scale=(5, 1, 1), units=("mm",) * 3)
    source = source_of(image, viewer.dims.point, (1, 2))
    labels = np.full((4, 48, 64), 2, np.int32)
    labels[:2, :20, :20] = 1
    made = Provenance(settings=presets["ct-soft"].settings)
    made = replace(made, slices=(replace(made, slice=0),))
    geometry = Geometry((5.0, 1.0, 1.0), (0.0,) * 3, Geometry.identity(3).direction)
    result = Segmentation(labels, (1,), geometry, made, {1: "Lung", 2: "Other"}, object_name="Lung")
    target = VolumeTarget(viewer, image, Stack.whole(source), new_layer=False)
    layer = target.finish(result, "ct-soft")
    choose_shown(layer, Shown.EACH)
    outcome = ResultController(viewer, panel, parent)
    outcome.show(layer, source)
    volume = lambda: {row.label: row.volume for row in panel.table.clusters.rows}  # noqa: E731
    qtbot.waitUntil(lambda: volume().get(1) == "4.0\u00a0ml", timeout=3000)
    assert "Lung 4.0\u00a0ml" in panel.line.text()
    layer.data_setitem((np.array([3] * 400), np.repeat(np.arange(20), 20), np.tile(np.arange(20), 20)), 1)
    qtbot.waitUntil(lambda: volume()[1] == "6.0\u00a0ml", timeout=3000)
    layer.undo()
    qtbot.waitUntil(lambda: volume()[1] == "4.0\u00a0ml", timeout=3000)
    outcome.release()


def test_a_released_layer_is_left_as_it_is(outcome, layer, qtbot):
    outcome.panel.table.hovered.emit(2)
    outcome.release()
    qtbot.wait(3 * hovered_cluster.HOVER_MS)
    assert tuple(layer.colormap.color_dict[2]) != CLEAR
    layer.data_setitem((np.array([0]), np.array([0])), 5)
    assert outcome.layer is None


def select(outcome, *chosen):
    table = outcome.panel.table
    mode = table.selectionModel().SelectionFlag
    table.clearSelection()
    for row in chosen:
        table.selectionModel().select(table.clusters.index(row, 0), mode.Select | mode.Rows)


def test_selected_rows_are_merged_in_one_step(outcome, layer, qtbot):
    outcome.panel.asked.connect(lambda what: outcome.ask(what, "auto"))
    before = layer.data.copy()
    assert not outcome.panel.merge.isEnabled()
    select(outcome, 0)
    assert not outcome.panel.merge.isEnabled()
    select(outcome, 0, 1)
    outcome.panel.merge.click()
    assert (layer.data == 1).all()
    qtbot.waitUntil(lambda: [row.name for row in rows(outcome)] == ["Lesion"], timeout=5000)
    assert not outcome.panel.merge.isEnabled()
    layer.undo()
    np.testing.assert_array_equal(layer.data, before)
    qtbot.waitUntil(lambda: [row.name for row in rows(outcome)] == ["Lesion", "Skin"], timeout=5000)
    assert metadata_of(layer)["foreground"] == [1]


def test_merging_leaves_locked_parts_alone(outcome, layer):
    part = np.zeros(layer.data.shape, bool)
    part[40:, 50:] = True
    locks_of(layer).toggle_part(layer.data.shape, PlaneKey((None, None)), part)
    select(outcome, 0, 1)
    outcome.ask("merge", "auto")
    assert (layer.data[part] == 2).all()
    assert (layer.data[~part] == 1).all()


def test_the_object_s_layer_follows_another_dock(outcome, viewer, layer, qtbot):
    outcome.ask("object_layer", "auto")
    mask = viewer.layers["mole – object"]
    choose_object(viewer, layer, PlaneKey((None, None)), [2])
    qtbot.waitUntil(lambda: rows(outcome)[1].is_object, timeout=5000)
    np.testing.assert_array_equal(mask.data, layer.data == 2)
