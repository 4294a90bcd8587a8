"""A run on a volume from the dock: slices as they come, stop and keep, cancel, a range beside an earlier result."""

import numpy as np
import pytest

from napari_s3net.labels.metrics import dice
from napari_s3net.plugin.jobs import session
from napari_s3net.plugin.jobs.session import Phase
from napari_s3net.plugin.layers.placement import KEY
from napari_s3net.plugin.layers.proxy import plain
from napari_s3net.plugin.layers.run_cache import cached_run
from napari_s3net.plugin.layers.target import REPLACED
from napari_s3net.plugin.widgets.extent import RANGE, SLICE, VOLUME
from napari_s3net.provenance import Provenance
from tests.volume.conftest import make_chest


@pytest.fixture
def chest(dock, viewer):
    """A dock with a small chest CT of which the whole volume is chosen."""
    array, _ = make_chest(depth=10)
    scale = (3.0, 4.0, 4.0)
    viewer.add_image(array, name="chest", scale=scale, units=("mm",) * 3, metadata={KEY: {"kind": "ct"}})
    dock.choosers.show_settings(dock.choosers.settings().replace(working_size=64, clusters=4))
    return dock


def labels_of(viewer):
    return plain(viewer.layers["chest – S³-Net"])


def finish(dock, qtbot):
    qtbot.waitUntil(lambda: not dock.session.phase.is_busy, timeout=120_000)


def when_slices_have_come(dock, viewer, qtbot):
    """Wait until the layer shows some slices of a run that goes on."""
    qtbot.waitUntil(lambda: "of 10 slices" in dock.progress.line.text(), timeout=120_000)
    qtbot.waitUntil(lambda: dock.progress.bar.value() >= 1 and dock.progress.bar.maximum() == 10, timeout=120_000)


def test_the_whole_volume_with_one_press(chest, viewer, qtbot):
    assert chest.extent.choice.value == VOLUME
    assert chest.extent.line.text().startswith("0–9 on the slider · 3 mm apart")
    chest.run()
    finish(chest, qtbot)
    layer = labels_of(viewer)
    assert layer.data.any(axis=(1, 2)).all()
    metadata = layer.metadata[KEY]
    assert sorted(part.slice for part in Provenance.from_dict(metadata).slices) == list(range(10))
    lungs = np.isin(layer.data, metadata["foreground"])
    amount = f"Lung {lungs.sum() * 48 / 1000:.0f}\u00a0ml in 10 slices"
    qtbot.waitUntil(lambda: amount in chest.panel.line.text(), timeout=5000)
    assert all(cached_run(layer, chest.source.key.at(k)) is not None for k in range(10))
    other = next(i for i in np.unique(layer.data[chest.source.index]) if i not in metadata["foreground"])
    chest.panel.table.clusters.ticked.emit(int(other), True)
    chest.panel.table.clusters.renamed.emit(int(other), "Mine")
    for k in (1, 2):
        viewer.dims.set_current_step(0, k)
        chest.result.measure()
        assert other in layer.metadata[KEY]["foreground"], "a tick holds in every slice"
        assert layer.metadata[KEY]["names"][other] == "Mine"


def test_of_a_time_series_the_volume_at_the_sliders_time_is_segmented(dock, viewer, qtbot):
    array, lungs = make_chest(depth=6)
    series = np.stack([array, np.roll(array, 6, 2), array])
    viewer.add_image(
        series, name="chest", scale=(1, 3, 4, 4), units=("s", "mm", "mm", "mm"), metadata={KEY: {"kind": "ct"}}
    )
    dock.choosers.show_settings(dock.choosers.settings().replace(working_size=64, clusters=4))
    viewer.dims.set_current_step(0, 1)
    assert dock.choosers.image_line.text().startswith("time 1 of 0–2 · slice ")
    assert dock.extent.choice.value == VOLUME
    dock.run()
    finish(dock, qtbot)
    layer = labels_of(viewer)
    assert [bool(volume.any()) for volume in layer.data] == [False, True, False]
    found = np.isin(layer.data[1], layer.metadata[KEY]["foreground"])
    true = np.roll(lungs, 6, 2)
    assert 2 * (found & true).sum() / (found.sum() + true.sum()) > 0.9
    qtbot.waitUntil(lambda: "ml in 6 slices" in dock.panel.line.text(), timeout=5000)


def test_cancel_puts_every_slice_back(chest, viewer, qtbot):
    chest.run()
    when_slices_have_come(chest, viewer, qtbot)
    chest.session.cancel()
    finish(chest, qtbot)
    assert [layer.name for layer in viewer.layers] == ["chest"]
    chest.run()
    finish(chest, qtbot)
    layer = labels_of(viewer)
    before, metadata = layer.data.copy(), layer.metadata[KEY]
    chest.run()
    when_slices_have_come(chest, viewer, qtbot)
    chest.session.cancel()
    finish(chest, qtbot)
    assert np.array_equal(layer.data, before)
    assert layer.metadata[KEY] == metadata


def test_stop_keeps_what_is_done(chest, viewer, qtbot):
    chest.run()
    when_slices_have_come(chest, viewer, qtbot)
    chest.session.stop()
    finish(chest, qtbot)
    done = labels_of(viewer).data.any(axis=(1, 2))
    n = int(done.sum())
    if chest.session.phase is Phase.STOPPED:  # the last slices may have come meanwhile
        assert f"{n} of 10 slices are done" in chest.panel.effort.text()
    assert done[:n].all()


@pytest.mark.parametrize("order", [(0, 2, 1, 3), (0, 1, 3, 2)])
def test_in_a_rolled_or_transposed_view_labels_lie_on_what_they_show(dock, viewer, qtbot, order):
    near = np.square(np.indices((16, 20, 24)) - np.reshape((7, 8, 15), (3, 1, 1, 1))).sum(0) < 25
    ball = np.where(near, 60.0, 180.0) + np.random.default_rng(0).normal(0, 3, near.shape)
    viewer.add_image(np.stack([ball, ball[::-1]]).astype(np.float32), name="chest")
    viewer.dims.order = order
    viewer.dims.set_current_step(0, 0)
    dock.choosers.show_settings(dock.choosers.settings().replace(working_size=32, clusters=4))
    dock.run()
    finish(dock, qtbot)
    first, second = labels_of(viewer).data
    assert not second.any()
    assert dice(first == first[7, 8, 15], near) > 0.7


def test_a_range_leaves_the_other_slices_alone(chest, viewer, qtbot):
    chest.run()
    finish(chest, qtbot)
    layer = labels_of(viewer)
    layer.data[5] = 0
    before = layer.data.copy()
    chest.extent.choice.value = RANGE
    chest.extent.range.setValue((4, 6))
    chest.run()
    finish(chest, qtbot)
    assert layer.data[5].any()
    assert np.array_equal(layer.data[:4], before[:4])
    assert np.array_equal(layer.data[7:], before[7:])
    parts = Provenance.from_dict(layer.metadata[KEY]).slices
    assert sorted(part.slice for part in parts) == list(range(10))
    for n, plane in enumerate(layer.data):
        assert np.array_equal(cached_run(layer, chest.source.key.at(n)).labels, plane)
    lungs = set(layer.metadata[KEY]["foreground"])
    assert lungs & set(np.unique(layer.data[4:7]).tolist())


def test_a_run_on_the_volume_is_one_step_of_undo(chest, viewer, qtbot):
    chest.run()
    finish(chest, qtbot)
    layer = labels_of(viewer)
    layer.data_setitem((np.array([2]), np.array([3]), np.array([3])), np.array([7]))
    before, metadata = layer.data.copy(), layer.metadata[KEY]
    chest.choosers.show_settings(chest.choosers.settings().replace(seed=5, clusters=3))
    chest.run()
    finish(chest, qtbot)
    after = layer.data.copy()
    assert (after != before).any()
    layer.undo()
    assert np.array_equal(layer.data, before)
    chest.result.measure()
    assert {i: layer.metadata[KEY]["names"][i] for i in metadata["names"]} == metadata["names"]
    layer.redo()
    assert np.array_equal(layer.data, after)
    layer.undo()
    layer.undo()
    assert layer.data[2, 3, 3] != 7


def test_a_first_run_on_the_volume_is_no_step_of_undo(chest, viewer, qtbot):
    chest.run()
    finish(chest, qtbot)
    layer = labels_of(viewer)
    after = layer.data.copy()
    layer.undo()
    assert np.array_equal(layer.data, after)


@pytest.fixture
def said(monkeypatch):
    """What is said in napari's notifications."""
    words = []
    monkeypatch.setattr(session, "show_info", words.append)
    return words


def test_the_layer_removed_during_a_run(chest, viewer, qtbot, said):
    chest.run()
    when_slices_have_come(chest, viewer, qtbot)
    was_busy = chest.session.phase.is_busy  # on a busy machine the few slices may all have come
    viewer.layers.remove("chest – S³-Net")
    finish(chest, qtbot)
    assert "chest" in [layer.name for layer in viewer.layers]
    words = "The layer was removed during a run, which was cancelled; what is left is as before."
    assert said == ([words] if was_busy else [])


def test_what_becomes_of_labels_that_were_there_is_said(chest, viewer, qtbot, said):
    chest.run()
    finish(chest, qtbot)
    layer = labels_of(viewer)
    layer.data[4, :9, :9] = 1
    chest.run()
    finish(chest, qtbot)
    assert said == [REPLACED]
    layer.metadata = {KEY: {**layer.metadata[KEY], "model": {"weights": "0123"}}}
    before = layer.data.copy()
    chest.run()
    finish(chest, qtbot)
    assert np.array_equal(layer.data, before)
    assert said[1:] == [f"{layer.name} has a model's labels and stays as it is: the result is a layer of its own."]


def test_labels_that_got_another_shape_during_a_run_are_left_alone(chest, viewer, qtbot, said):
    chest.run()
    finish(chest, qtbot)
    layer = labels_of(viewer)
    layer.mode = "paint"
    chest.run()
    when_slices_have_come(chest, viewer, qtbot)
    layer.data = np.full((3, 5, 7), 9, np.int32)
    finish(chest, qtbot)
    assert (layer.data == 9).all()
    assert str(layer.mode) == "paint"
    results = [one for one in map(plain, viewer.layers) if one.data.shape == (10, 64, 64) and one.name != "chest"]
    assert len(results) == 1
    assert results[0].data.any(axis=(1, 2)).all()
    assert said == [f"{layer.name} has another shape than when the run began: the result is a layer of its own."]


def test_a_brush_is_kept_away_while_slices_come_and_given_back(chest, viewer, qtbot):
    chest.run()
    finish(chest, qtbot)
    layer = labels_of(viewer)
    layer.mode = "paint"
    chest.run()
    when_slices_have_come(chest, viewer, qtbot)
    layer.mode = "paint"
    assert str(layer.mode) == "pan_zoom"
    finish(chest, qtbot)
    assert str(layer.mode) == "paint"


def test_the_image_replaced_during_a_run(chest, viewer, qtbot, said):
    chest.run()
    when_slices_have_come(chest, viewer, qtbot)
    viewer.layers["chest"].data = make_chest(depth=10)[0]
    finish(chest, qtbot)
    assert [layer.name for layer in viewer.layers] == ["chest"]
    assert said == ["The image was replaced during a run, which was cancelled; what is left is as before."]


def test_a_volume_that_cannot_be_segmented_says_why(dock, viewer, qtbot):
    viewer.add_image(np.full((4, 32, 32), 7, np.int16), name="chest")
    dock.extent.choice.value = VOLUME
    dock.run()
    finish(dock, qtbot)
    assert dock.session.phase is Phase.FAILED
    assert "All 4 slices are empty" in dock.message.text()


def test_photographs_and_planes_begin_with_the_one_in_view(dock, viewer):
    viewer.add_image(np.zeros((3, 32, 32, 3), np.uint8), name="photos", rgb=True)
    assert dock.extent.choice.value == SLICE


def test_the_object_as_a_layer_follows_a_run_on_the_volume(chest, viewer, qtbot):
    chest.run()
    finish(chest, qtbot)
    layer = labels_of(viewer)
    layer.data[2:] = 0
    chest.panel.asked.emit("object_layer")
    mask = plain(viewer.layers["chest – object"])
    assert not mask.data[2:].any()
    chest.run()
    finish(chest, qtbot)
    lungs = np.isin(layer.data, layer.metadata[KEY]["foreground"])
    qtbot.waitUntil(lambda: np.array_equal(mask.data > 0, lungs), timeout=10_000)
