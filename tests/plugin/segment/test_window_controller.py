"""Windows in the Segment dock: one click each; and they never change a result."""

import numpy as np
import pytest

from napari_s3net.plugin.layers.placement import KEY
from napari_s3net.plugin.layers.proxy import plain
from napari_s3net.plugin.widgets.window_chooser import CT_WINDOWS

pytestmark = pytest.mark.viewer


@pytest.fixture
def scan(dock, viewer):
    """A CT slice, opened with a window of its own."""
    rows, columns = np.mgrid[:48, :64]
    hu = np.where((rows - 24) ** 2 + (columns - 32) ** 2 < 20**2, 40, -1000)
    hu = np.where((rows - 24) ** 2 + (columns - 32) ** 2 < 8**2, -850, hu)
    hu = hu + np.random.default_rng(0).normal(0, 15, hu.shape)
    layer = viewer.add_image(
        hu.astype(np.int16), name="scan", contrast_limits=(-700, 300), metadata={KEY: {"kind": "ct"}}
    )
    return plain(layer)


@pytest.mark.parametrize("name", CT_WINDOWS)
def test_a_click_shows_ct_through_a_window_and_another_goes_back(dock, scan, name):
    dock.window_chooser.buttons[name].click()
    assert tuple(scan.contrast_limits) == CT_WINDOWS[name][1:]
    assert dock.window_chooser.slider.value() == CT_WINDOWS[name][1:]
    dock.window_chooser.buttons["opened"].click()
    assert tuple(scan.contrast_limits) == (-700, 300)


def test_the_slider_and_the_layer_follow_each_other(dock, scan):
    dock.window_chooser.slider.setValue((-200.0, 100.0))
    assert tuple(scan.contrast_limits) == (-200, 100)
    scan.contrast_limits = (0, 80)
    assert dock.window_chooser.slider.value() == (0, 80)
    assert dock.window_chooser.line.text() == "Window: level 40, width 80 HU"


def test_images_without_a_unit_have_percentiles_of_the_slice_in_view(dock, viewer):
    stack = np.stack([np.arange(2000.0).reshape(40, 50) + 5000 * n for n in range(3)])
    stack[1, 0, 0] = np.nan
    layer = plain(viewer.add_image(stack, name="knee", metadata={KEY: {"kind": "mr"}}))
    viewer.dims.set_current_step(0, 1)
    dock.window_chooser.buttons["middle"].click()
    low, high = layer.contrast_limits
    assert (low, high) == pytest.approx((5100, 6899), abs=3)


def test_photographs_have_no_window(ready):
    assert ready.window_chooser.isHidden()


def test_a_closed_dock_hears_nothing_of_the_layer(dock, scan):
    dock.release()
    scan.contrast_limits = (1, 2)
    assert dock.window_chooser.line.text() == "Window: level -200, width 1000 HU"


def test_windows_never_change_a_result(dock, scan, viewer, qtbot):
    dock.choosers.show_settings(dock.choosers.settings().replace(max_iter=3, working_size=64))
    results = []
    for name in ("lung", "brain", "bone"):
        dock.window_chooser.buttons[name].click()
        dock.run()
        qtbot.waitUntil(lambda: not dock.session.phase.is_busy, timeout=60_000)
        results.append(viewer.layers["scan – S³-Net"].data.copy())
    assert results[0].any()
    assert all(np.array_equal(results[0], other) for other in results[1:])
