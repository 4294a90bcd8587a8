"""Letters at the edges of the view, for files whose patient lies in every way."""

from itertools import permutations, product
from types import SimpleNamespace

import nibabel
import numpy as np
import pytest
from napari.layers import Image as ImageLayer
from napari.layers._source import layer_source

from napari_s3net.errors import ReadWarning
from napari_s3net.io.nifti import read_nifti
from napari_s3net.plugin.contributions.reader import layer_data
from napari_s3net.plugin.layers.axis_letters import OPPOSITE, axis_letters
from napari_s3net.plugin.layers.source import source_of

#: Of NIfTI's world: the sides to which its axes grow.
WORLD = "RAS"


def scan(tmp_path, affine=None, array=None, name="scan.nii"):
    """A volume that is bright on the patient's left, and brighter still at the back and towards the head."""
    path = tmp_path / name
    array = np.arange(4 * 5 * 6, dtype=np.int16).reshape(4, 5, 6) if array is None else array
    nibabel.save(nibabel.Nifti1Image(array, np.diag([1.0, 1.0, 1.0, 1.0]) if affine is None else affine), path)
    with layer_source(path=str(path)):
        array, attributes, _ = layer_data(read_nifti(path, "scan"))
        return ImageLayer(array, **attributes)


def letters(layer, displayed=(1, 2), camera=None):
    source = source_of(layer, (0,) * layer.ndim, displayed)
    return axis_letters(layer, source, displayed, camera)


@pytest.mark.parametrize(("axes", "flips"), list(product(permutations(range(3)), [(1, 1, 1), (-1, 1, -1)])))
def test_values_that_grow_to_the_left_grow_towards_the_letter_l(tmp_path, axes, flips):
    """Whatever the file's axes, in all three planes: along the edge with a letter lies that side of the patient."""
    affine = np.zeros((4, 4))
    affine[3, 3] = 1
    for column, (world, sign) in enumerate(zip(axes, flips, strict=True)):
        affine[world, column] = sign
    for side in "LPS":
        along = WORLD.find(side) if side in WORLD else WORLD.find(OPPOSITE[side])
        index = np.indices((4, 5, 6))[axes.index(along)]
        towards = flips[axes.index(along)] * (1 if side in WORLD else -1)
        layer = scan(tmp_path, affine, (towards * index + 10).astype(np.int16))
        for displayed in ((0, 1), (0, 2), (1, 2), (2, 1)):
            plane = np.moveaxis(layer.data, displayed, (0, 1))[:, :, 0].astype(int)
            at = letters(layer, displayed)
            assert (plane[:, -1] > plane[:, 0]).all() == (at.right == side)
            assert (plane[:, -1] < plane[:, 0]).all() == (at.left == side)
            assert (plane[-1] > plane[0]).all() == (at.bottom == side)
            assert (plane[-1] < plane[0]).all() == (at.top == side)


def test_a_radiologist_s_axial_view_has_the_front_on_top_and_the_patient_s_right_at_the_left(tmp_path):
    assert letters(scan(tmp_path)) == ("R", "L", "A", "P")
    assert letters(scan(tmp_path), (0, 2)) == ("R", "L", "I", "S")
    turned = SimpleNamespace(orientation2d=("up", "left"))
    assert letters(scan(tmp_path), (0, 2), turned) == ("L", "R", "S", "I")


def test_of_a_time_series_the_planes_of_each_volume_have_letters(tmp_path):
    layer = ImageLayer(np.zeros((3, 4, 5, 6)), metadata=scan(tmp_path).metadata, units=("pixel", *("mm",) * 3))
    assert letters(layer, (2, 3)) == ("R", "L", "A", "P")
    assert letters(layer, (0, 3)) is None


def test_where_the_file_does_not_say_there_are_no_letters(tmp_path):
    assert letters(ImageLayer(np.zeros((4, 5, 6)))) is None
    image = nibabel.Nifti1Image(np.zeros((4, 5, 6), np.int16), None)
    nibabel.save(image, tmp_path / "no.nii")
    with pytest.warns(ReadWarning, match="which side is left"):
        image = read_nifti(tmp_path / "no.nii", "no")
    with layer_source(path=str(tmp_path / "no.nii")):
        array, attributes, _ = layer_data(image)
        assert letters(ImageLayer(array, **attributes)) is None


def test_a_layer_that_was_turned_in_napari_has_none(tmp_path):
    layer = scan(tmp_path)
    layer.translate = (5, 6, 7)
    assert letters(layer) is not None
    layer.rotate = 30
    assert letters(layer) is None


def test_in_three_dimensions_there_are_none(tmp_path):
    layer = scan(tmp_path)
    assert axis_letters(layer, source_of(layer, (0, 0, 0), (1, 2)), (0, 1, 2)) is None
