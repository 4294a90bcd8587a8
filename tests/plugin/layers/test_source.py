from dataclasses import replace

import dask.array as da
import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image

from napari_s3net.image import Geometry
from napari_s3net.plugin.layers import source as module
from napari_s3net.plugin.layers.placement import KEY
from napari_s3net.plugin.layers.plane_key import PlaneKey
from napari_s3net.plugin.layers.source import describe_source, inspect_source, level_scale, source_of
from napari_s3net.preprocessing.suggest import suggest_preset


def of(layer, step=None, order=None):
    """The source of a layer in a viewer of its own, at a step of the sliders."""
    viewer = ViewerModel()
    viewer.add_layer(layer)
    for axis, n in (step or {}).items():
        viewer.dims.set_current_step(axis, n)
    if order is not None:
        viewer.dims.order = order
    return source_of(layer, viewer.dims.point, viewer.dims.order[-2:])


def test_photograph(photograph):
    source = of(Image(photograph, name="mole"))
    assert (source.shape, source.plane_shape, source.position, source.kind) == ((48, 64), (48, 64), None, "rgb")
    image = source.read()
    assert image.kind == "rgb"
    assert image.name == "mole"
    np.testing.assert_array_equal(image.array, photograph)
    assert describe_source(source) == "64 × 48, RGB"


def test_the_note_by_which_a_photograph_was_turned_goes_along():
    known = {KEY: {"geometry": replace(Geometry.identity(2), noted=6)}}
    assert of(Image(np.zeros((8, 9)), metadata=known)).geometry.noted == 6
    assert of(Image(np.zeros((8, 9)))).geometry.noted == 1
    known = {KEY: {"geometry": replace(Geometry.identity(3), noted=6)}}
    assert of(Image(np.zeros((3, 8, 9)), metadata=known), {0: 1}).geometry.noted == 6


def test_alpha_is_dropped(photograph):
    array = np.dstack([photograph, np.full(photograph.shape[:2], 255, np.uint8)])
    assert of(Image(array, rgb=True)).read().array.shape == (48, 64, 3)


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int16, np.uint16, np.float32, np.float64])
def test_every_kind_of_number(dtype):
    array = (np.arange(48 * 64).reshape(48, 64) % 2).astype(dtype)
    image = of(Image(array)).read()
    assert image.kind == "grey"
    assert image.array.dtype.kind in "uif"
    np.testing.assert_array_equal(image.array, array)


def test_the_slice_in_view_of_a_stack():
    stack = np.random.default_rng(0).normal(size=(5, 20, 30))
    source = of(Image(stack, scale=(3, 0.5, 0.5), units=("mm",) * 3, name="scan"), {0: 3})
    assert source.index == (3, slice(None), slice(None))
    assert (source.position, source.slices, source.shape) == (3, 5, (5, 20, 30))
    np.testing.assert_array_equal(source.read().array, stack[3])
    assert describe_source(source) == "slice 3 of 0–4 · 30 × 20, grey, 0.5 mm a pixel"
    assert source.geometry.spacing == (0.5, 0.5)


def test_a_stack_of_photographs(photograph):
    stack = np.stack([photograph, photograph[::-1]])
    source = of(Image(stack, rgb=True), {0: 1})
    assert source.shape == (2, 48, 64)
    np.testing.assert_array_equal(source.read().array, photograph[::-1])


def test_another_axis_in_view():
    stack = np.random.default_rng(0).normal(size=(5, 20, 30))
    source = of(Image(stack, scale=(3, 0.5, 0.7), units=("mm",) * 3), {1: 7}, (1, 0, 2))
    assert source.index == (slice(None), 7, slice(None))
    np.testing.assert_array_equal(source.read().array, stack[:, 7])
    assert source.geometry.spacing == (3, 0.7)


def test_a_series_of_volumes():
    series = np.random.default_rng(0).normal(size=(2, 5, 20, 30))
    source = of(Image(series, scale=(1, 3, 0.5, 0.5), units=("s", "mm", "mm", "mm")), {0: 1, 1: 3})
    assert source.key == PlaneKey((1, 3, None, None))
    assert (source.position, source.slices) == (3, 5)
    np.testing.assert_array_equal(source.read().array, series[1, 3])
    assert describe_source(source) == "time 1 of 0–1 · slice 3 of 0–4 · 30 × 20, grey, 0.5 mm a pixel"
    assert source.geometry.volume.origin[0] == 9


def test_a_transposed_view_shows_the_same_plane():
    stack = np.random.default_rng(0).normal(size=(5, 20, 30))
    assert of(Image(stack), {0: 3}, (0, 2, 1)).key == of(Image(stack), {0: 3}).key


def test_an_affine_counts_and_a_shear_is_told():
    turned = of(Image(np.zeros((20, 30)), affine=np.diag([2, 3, 1.0]), units=("mm", "mm")))
    assert turned.geometry.spacing == (2, 3)
    sheared = of(Image(np.zeros((20, 30)), shear=[0.4], units=("mm", "mm")))
    assert sheared.geometry.unit == "pixel"
    assert "sheared" in describe_source(sheared)


def test_a_flat_layer_in_a_viewer_of_more_dimensions(photograph):
    viewer = ViewerModel()
    viewer.add_image(np.zeros((4, 5, 6, 7)))
    layer = viewer.add_image(photograph)
    assert source_of(layer, viewer.dims.point, viewer.dims.order[-2:]).index == (slice(None), slice(None))


def test_a_lazy_array_is_computed_only_when_it_is_read():
    computed = []

    def block(block_info=None):
        computed.append(1)
        return np.full((1, 20, 30), 7, np.int16)

    lazy = da.map_blocks(block, chunks=((1,) * 4, (20,), (30,)), dtype=np.int16, meta=np.empty((0, 0, 0), np.int16))
    layer = Image(lazy, contrast_limits=(0, 10))
    computed.clear()
    point = (2.0, 0.0, 0.0)
    source = source_of(layer, point, (1, 2))
    assert not computed
    assert (source.read().array == 7).all()
    assert len(computed) == 1


def test_multiscale_takes_the_finest_level_that_is_not_too_large(monkeypatch):
    levels = [np.zeros((64, 96)), np.zeros((32, 48)), np.zeros((16, 24))]
    layer = Image(levels, multiscale=True, scale=(2, 2))
    assert of(layer).shape == (64, 96)
    monkeypatch.setattr(module, "MAX_PIXELS", 40 * 50)
    source = of(layer)
    assert source.shape == (32, 48)
    assert level_scale(layer, source.shape) == (4, 4)


@pytest.mark.parametrize(
    ("units", "unit", "spacing"),
    [(("mm", "mm"), "mm", (2, 3)), (("um", "um"), "mm", (0.002, 0.003)), (("pixel", "pixel"), "pixel", (1, 1))],
)
def test_units_of_the_layer(units, unit, spacing):
    geometry = of(Image(np.zeros((20, 30)), scale=(2, 3), units=units)).geometry
    assert geometry.unit == unit
    assert geometry.spacing == pytest.approx(spacing)


def test_what_the_file_said_is_kept():
    direction = ((1.0, 0.0, 0.0), (0.0, 0.0, 1.0), (0.0, 1.0, 0.0))
    geometry = Geometry((2.5, 0.7, 0.7), (1.0, 2.0, 3.0), direction, "mm", "LPS")
    layer = Image(np.zeros((4, 20, 30)), scale=(2.5, 0.7, 0.7), metadata={KEY: {"geometry": geometry, "kind": "ct"}})
    source = of(layer, {0: 2})
    assert source.kind == "ct"
    assert source.geometry == geometry.plane(2)
    assert source.geometry.volume.orientation == "LPS"


@pytest.mark.parametrize(
    ("array", "kind", "reason"),
    [
        (np.zeros((40, 50, 3), np.uint8), "rgb", "RGB photograph"),
        (np.where(np.eye(40) > 0, -1000, 40).astype(np.int16), "ct", "Hounsfield units"),
        (np.arange(600).reshape(20, 30), "grey", "grey image"),
    ],
)
def test_preset_by_what_the_layer_is(array, kind, reason):
    source, preset, why = inspect_source(of(Image(array)))
    assert source.kind == kind
    assert preset == suggest_preset(source.read())
    assert why == reason


def test_what_the_file_said_of_its_values_decides():
    source, preset, why = inspect_source(of(Image(np.arange(600).reshape(20, 30), metadata={KEY: {"kind": "mr"}})))
    assert (source.kind, preset, why) == ("mr", "mri", "MR image")


def test_a_stack_is_judged_by_its_middle_whichever_slice_is_in_view():
    belly = np.full((5, 64, 64), -1000, np.int16)
    belly[:, 8:56, 8:56] = 40
    belly[2:4, 20:24, 20:24] = -700  # gas in the bowel, half a percent
    chest = belly.copy()
    chest[2, 16:48, 16:30] = -800
    for array, preset in ((belly, "ct-soft"), (chest, "ct-lung")):
        layer = Image(array, scale=(5, 2, 2), units=("mm",) * 3)
        assert [inspect_source(of(layer, {0: n}))[1] for n in range(5)] == [preset] * 5
        assert inspect_source(of(layer, {0: 3}))[0].position == 3
