import numpy as np
import pytest
import SimpleITK as sitk

from napari_s3net.errors import WriteError
from napari_s3net.image import Geometry
from napari_s3net.io import read_image
from napari_s3net.io.segments import Segment, write_seg_nrrd
from napari_s3net.runtime import child_process as process

GEOMETRY = Geometry((2.0, 0.5, 0.75), (5.0, 6.0, 7.0), Geometry.identity(3).direction)
SEGMENTS = [Segment(1, "Lung", (25, 195, 242)), Segment(4, "Air & tissue, darker", (0, 0, 255), is_object=False)]


@pytest.fixture(scope="module", autouse=True)
def close_children():
    yield
    process.close_all()


def labels():
    array = np.zeros((3, 10, 12), np.int32)
    array[:, 2:5, 3:9], array[1:, 6:9, 1:4], array[0, 0] = 1, 4, 2
    return array


def test_labels_names_and_colours_come_back(tmp_path):
    path = tmp_path / "scan.seg.nrrd"
    write_seg_nrrd(path, labels(), GEOMETRY, SEGMENTS)
    back = read_image(path)
    assert np.array_equal(back.array, np.where(labels() == 2, 0, labels()))  # 2 is no segment
    assert back.geometry.spacing == pytest.approx(GEOMETRY.spacing)
    assert back.geometry.origin == pytest.approx(GEOMETRY.origin)
    image = sitk.ReadImage(str(path))
    assert [image.GetMetaData(f"Segment{n}_Name") for n in (0, 1)] == ["Lung", "Air & tissue, darker"]
    assert [image.GetMetaData(f"Segment{n}_LabelValue") for n in (0, 1)] == ["1", "4"]
    assert [float(c) for c in image.GetMetaData("Segment1_Color").split()] == [0.0, 0.0, 1.0]
    assert image.GetMetaData("Segment0_Extent") == "0 11 0 9 0 2"


@pytest.mark.parametrize(
    ("name", "array", "message"), [("scan.nrrd", labels(), "ends in .seg.nrrd"), ("a.seg.nrrd", labels()[0], "volume")]
)
def test_what_is_no_segmentation_for_slicer(tmp_path, name, array, message):
    with pytest.raises(WriteError, match=message):
        write_seg_nrrd(tmp_path / name, array, GEOMETRY, SEGMENTS)
    assert not list(tmp_path.iterdir())
