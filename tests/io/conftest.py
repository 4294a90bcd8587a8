from __future__ import annotations

import shutil

import numpy as np
import PIL.Image
import pytest
import SimpleITK as sitk
import tifffile

from napari_s3net.io import itk
from tests.io.made_files import hounsfield, phantom, volume, write_dicom, write_nifti2


@pytest.fixture
def series(tmp_path):
    """A folder with a CT series of four slices, written in the wrong order, under names that say nothing."""
    folder = tmp_path / "series"
    folder.mkdir()
    for i in (2, 0, 3, 1):
        write_dicom(folder / f"file{7 * i % 4}", hounsfield(i), position=(5.0, 6.0, 10.0 + 3.0 * i))
    return folder


@pytest.fixture
def files(tmp_path, good_files):
    """A folder with one small good file of each kind, to do with as you like."""
    return shutil.copytree(good_files, tmp_path / "files")


@pytest.fixture(scope="session")
def good_files(tmp_path_factory):
    """The originals: made once."""
    folder = tmp_path_factory.mktemp("good")
    rgb = np.random.default_rng(0).integers(0, 255, (20, 30, 3), np.uint8)
    for name in ("a.png", "a.jpg", "a.bmp"):
        PIL.Image.fromarray(rgb).save(folder / name)
    tifffile.imwrite(folder / "a.tif", phantom(), photometric="minisblack")
    tifffile.imwrite(folder / "b.tif", phantom(), photometric="minisblack", compression="zlib")
    image = volume()
    for name in ("a.nii", "a.nii.gz", "a.hdr", "a.mha", "a.mhd", "a.nrrd", "a.nhdr"):
        sitk.WriteImage(image, str(folder / name))
    sitk.WriteImage(image, str(folder / "b.mha"), useCompression=True)
    sitk.WriteImage(image, str(folder / "b.nrrd"), useCompression=True)
    write_dicom(folder / "a.dcm", hounsfield())
    write_nifti2(folder / "c.nii", phantom())
    return folder


@pytest.fixture(autouse=True)
def unstumbled():
    """What SimpleITK met in one test, in this process, is not held against the next."""
    itk.STUMBLED.clear()
