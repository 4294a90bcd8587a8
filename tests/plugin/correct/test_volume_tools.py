"""Label tools on a whole volume: sizes in mm³, one step of undo, locks kept."""

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_s3net.errors import InvalidImageError
from napari_s3net.image import Geometry, Image
from napari_s3net.plugin.contributions.reader import layer_data
from napari_s3net.plugin.correct import label_tools
from napari_s3net.plugin.correct.label_editor import LabelEditor
from napari_s3net.plugin.correct.label_list import LabelList
from napari_s3net.plugin.correct.panels import ToolsPanel
from napari_s3net.plugin.correct.tool_controller import ToolController
from napari_s3net.plugin.correct.volume_tools import voxel_size
from napari_s3net.plugin.layers.locks import locks_of
from napari_s3net.plugin.layers.proxy import plain

SPACING = (10.0, 1.0, 2.0)


@pytest.fixture(params=[0, 1], ids=["axial", "coronal"])
def opened(request):
    """A volume of 20 mm³ voxels; a body in all slices, and a part of two voxels in two slices; seen in two planes."""
    labels = np.full((6, 12, 14), 2, np.int32)
    labels[:, 2:10, 2:10], labels[2:4, 5, 12] = 1, 1
    geometry = Geometry(SPACING, (0.0,) * 3, Geometry.identity(3).direction)
    viewer = ViewerModel()
    array, attributes, _ = layer_data(Image(labels.astype(np.float32), geometry, "grey", "scan"))
    viewer.add_image(array, **attributes)
    layer = plain(viewer.add_labels(labels, scale=SPACING, units=("mm",) * 3))
    viewer.dims.order = (1, 0, 2) if request.param else (0, 1, 2)
    viewer.dims.set_current_step(request.param, 5)
    return viewer, layer


def test_a_small_part_goes_in_all_slices_as_one_step(opened):
    viewer, layer = opened
    before = layer.data.copy()
    editor = LabelEditor(viewer)
    editor.choose(layer)
    assert voxel_size(editor) == 20.0
    assert not label_tools.remove_small(viewer, layer, 1, 39.0, in_3d=True)
    assert label_tools.remove_small(viewer, layer, 1, 41.0, in_3d=True)
    assert (layer.data[..., 12] == 2).all()
    assert (layer.data[..., :12] == before[..., :12]).all()
    layer.undo()
    np.testing.assert_array_equal(layer.data, before)


def test_the_largest_part_and_holes_of_a_volume(opened):
    viewer, layer = opened
    layer.data[2:4, 5:7, 5:7] = 2
    assert label_tools.keep_largest(viewer, layer, 1, in_3d=True)
    assert (layer.data[..., 12] == 2).all()
    assert label_tools.fill_holes(viewer, layer, 1, in_3d=True)
    assert (layer.data[:, 2:10, 2:10] == 1).all()


def test_locked_labels_stay(opened):
    viewer, layer = opened
    locks_of(layer).labels.add(1)
    assert not label_tools.keep_largest(viewer, layer, 1, in_3d=True)


def test_a_plane_is_no_volume(marked):
    viewer, layer = marked
    with pytest.raises(InvalidImageError, match="single plane, not a volume"):
        label_tools.keep_largest(viewer, layer, in_3d=True)


def test_the_dock_s_tool_takes_all_slices(opened, qtbot):
    viewer, layer = opened
    editor, panel, labels = LabelEditor(viewer), ToolsPanel(), LabelList()
    for widget in (panel, labels):
        qtbot.addWidget(widget)
    editor.choose(layer)
    labels.show_labels(editor.rows(), ())
    labels.select(1)
    panel.show_unit("mm²", is_stack=True)
    panel.choose_scope("selected")
    panel.in_3d.setChecked(True)
    panel.smallest.value = 41.0
    ToolController(viewer, editor, panel, labels, lambda: None).use("remove_small")
    assert (layer.data[..., 12] == 2).all()
