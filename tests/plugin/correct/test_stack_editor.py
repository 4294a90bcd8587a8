"""Corrections in a stack: states, filling between, reverting; without a widget."""

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_s3net.errors import InvalidImageError
from napari_s3net.plugin.correct.label_editor import LabelEditor
from napari_s3net.plugin.correct.stack_editor import StackEditor
from napari_s3net.plugin.layers.plane_key import PlaneKey
from napari_s3net.plugin.layers.proxy import plain
from napari_s3net.plugin.layers.run_cache import cache_run
from napari_s3net.plugin.layers.slice_states import SliceState
from napari_s3net.plugin.layers.undo import undo_log_of
from napari_s3net.plugin.layers.written_labels import write_planes_undoable

pytestmark = pytest.mark.viewer
SLICES, SIDE = 7, 40


def disc(radius):
    y, x = np.ogrid[:SIDE, :SIDE]
    return (y - 20) ** 2 + (x - 20) ** 2 <= radius**2


@pytest.fixture
def viewer():
    viewer = ViewerModel()
    viewer.add_image(np.random.default_rng(0).normal(0, 1, (SLICES, SIDE, SIDE)).astype(np.float32), name="scan")
    labels = np.stack([np.where(disc(8), 1, 2) for _ in range(SLICES)]).astype(np.int32)
    layer = plain(viewer.add_labels(labels, name="mine"))
    for n in range(SLICES):
        cache_run(layer, PlaneKey((n, None, None)), {})
    viewer.dims.set_current_step(0, 0)
    return viewer


@pytest.fixture
def layer(viewer):
    return plain(viewer.layers["mine"])


@pytest.fixture
def editor(viewer, layer):
    editor = LabelEditor(viewer)
    editor.choose(layer)
    return editor


@pytest.fixture
def stack(editor):
    return StackEditor(editor)


def correct(stack, viewer, layer, n, radius):
    """Draw another disc in a slice, as somebody does who is there."""
    viewer.dims.set_current_step(0, n)
    index = np.nonzero(disc(radius) != (layer.data[n] == 1))
    layer.data_setitem((np.full(len(index[0]), n), *index), np.where(disc(radius), 1, 2)[index])
    stack.follow()


def test_a_change_in_view_is_a_correction_until_it_is_undone(stack, viewer, layer):
    assert set(stack.states()) == {SliceState.UNSEEN}
    stack.mark_seen()
    correct(stack, viewer, layer, 2, 10)
    assert [state.value for state in stack.states()[:3]] == ["looked at", "not looked at", "corrected"]
    layer.undo()
    stack.follow()
    assert stack.states()[2] is SliceState.UNSEEN


def test_the_next_slice_to_look_at(stack, viewer, layer):
    layer.data[1] = 0  # nothing to look at
    stack.mark_seen()
    assert stack.next_unseen() == 2
    viewer.dims.set_current_step(0, SLICES - 1)
    stack.mark_seen()
    assert stack.next_unseen() == 2
    for n in range(SLICES):
        viewer.dims.set_current_step(0, n)
        stack.mark_seen()
    assert stack.next_unseen() is None


def test_filling_between_two_corrected_slices(stack, viewer, layer):
    for n in (1, 5):
        correct(stack, viewer, layer, n, 4 + 2 * n)
    before = layer.data.copy()
    assert stack.fill([1]) == (1, 5, 3)
    radii = [np.sqrt((plane == 1).sum() / np.pi) for plane in layer.data[1:6]]
    assert radii == pytest.approx([6, 8, 10, 12, 14], abs=0.5)
    assert [state.value for state in stack.states()[1:6]] == ["corrected", *["not looked at"] * 3, "corrected"]
    layer.undo()
    assert np.array_equal(layer.data, before)


def test_filling_takes_the_pair_around_the_view_and_asks_for_one(stack, viewer, layer):
    with pytest.raises(InvalidImageError, match=r"Correct two slices .* None is corrected now"):
        stack.fill([1])
    correct(stack, viewer, layer, 0, 10)
    with pytest.raises(InvalidImageError, match="One is corrected now"):
        stack.fill([1])
    for n in (2, 6):
        correct(stack, viewer, layer, n, 10)
    viewer.dims.set_current_step(0, 1)
    assert stack.fill([1])[:2] == (0, 2)
    viewer.dims.set_current_step(0, 5)
    assert stack.fill([1])[:2] == (2, 6)


def test_locks_stay_when_others_are_filled_in(stack, editor, viewer, layer):
    layer.data[3, 20, 34:38] = 9
    editor.locks.labels.add(9)
    for n in (2, 4):
        correct(stack, viewer, layer, n, 18)
    stack.fill([1])
    assert (layer.data[3, 20, 34:38] == 9).all()
    assert layer.data[3, 24, 34] == 1


def test_revert_of_the_volume_is_one_step(stack, viewer, layer):
    run = layer.data.copy()
    for n in (1, 4):
        correct(stack, viewer, layer, n, 12)
    after = layer.data.copy()
    assert stack.revert() == 2
    assert np.array_equal(layer.data, run)
    assert SliceState.CORRECTED not in stack.states()
    layer.undo()
    assert np.array_equal(layer.data, after)
    layer.redo()
    assert stack.revert() == 0


def test_after_an_undo_of_many_slices_each_is_what_it_was(stack, viewer, layer):
    """Not only the one in view: what was corrected by hand is held in other slices, too."""
    log = undo_log_of(viewer)
    for n in (1, 4):
        correct(stack, viewer, layer, n, 12)
    viewer.dims.set_current_step(0, 3)
    corrected = [n for n, state in enumerate(stack.states()) if state is SliceState.CORRECTED]
    assert corrected == [1, 4]
    stack.revert()
    log.undo()
    assert [n for n, state in enumerate(stack.states()) if state is SliceState.CORRECTED] == [1, 4]
    log.redo()
    assert SliceState.CORRECTED not in stack.states()


def test_a_corrected_slice_stays_so_when_all_slices_are_changed_at_once(stack, editor, viewer, layer):
    correct(stack, viewer, layer, 1, 12)
    source = editor.target()[1]
    both = {n: np.where(disc(5), 1, 2) for n in (1, 2)}
    stack.write(layer, source, both)
    assert [state.value for state in stack.states()[1:3]] == ["corrected", "not looked at"]
    stack.follow()
    assert stack.states()[1] is SliceState.CORRECTED
    undo_log_of(viewer).undo()
    assert [state.value for state in stack.states()[1:3]] == ["corrected", "not looked at"]


def test_what_came_from_elsewhere_is_no_correction_after_an_undo_either(stack, editor, viewer, layer):
    log, source = undo_log_of(viewer), editor.target()[1]
    for radius in (6, 5):
        stack.write(layer, source, {2: np.where(disc(radius), 1, 2)})
    log.undo()
    assert SliceState.CORRECTED not in stack.states()
    key = source.key.at(2)
    before = layer.data[2].copy()
    write_planes_undoable(layer, {key: np.where(disc(9), 1, 2)})
    cache_run(layer, key, {})  # another run
    log.undo()
    assert np.array_equal(layer.data[2], before)
    assert SliceState.CORRECTED not in stack.states()


def test_slices_along_another_axis(stack, editor, viewer, layer):
    viewer.dims.order = (1, 0, 2)
    viewer.dims.set_current_step(1, 20)
    assert editor.target()[1].key == PlaneKey((None, 20, None))
    assert stack.slices == SIDE
    assert stack.position == 20
    stack.follow()
    layer.data[:, 20] = 2
    stack.follow()
    assert stack.states()[20] is SliceState.CORRECTED


def test_a_single_plane_has_no_slices():
    viewer = ViewerModel()
    viewer.add_image(np.zeros((SIDE, SIDE)), name="plane")
    layer = plain(viewer.add_labels(disc(5).astype(np.int32)))
    editor = LabelEditor(viewer)
    editor.choose(layer)
    assert StackEditor(editor).slices == 1
    with pytest.raises(InvalidImageError, match="single plane"):
        StackEditor(editor).propagation(0)
