"""Small files of every format, made on the spot."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, generate_uid


def phantom(shape=(4, 12, 10), dtype=np.int16):
    """Values that differ everywhere, so that no flip or swap goes unnoticed."""
    return (np.arange(np.prod(shape)).reshape(shape) * 3 % 251).astype(dtype)


def volume(array=None, spacing=(1.5, 2.0, 4.0), origin=(-7.0, 11.0, 23.0), direction=None):
    """A SimpleITK image with a geometry of its own; `spacing` and `origin` are x, y, z."""
    image = sitk.GetImageFromArray(phantom() if array is None else array)
    image.SetSpacing(spacing[: image.GetDimension()])
    image.SetOrigin(origin[: image.GetDimension()])
    if direction is not None:
        image.SetDirection(np.asarray(direction, float).ravel().tolist())
    return image


def write_dicom(path, array, *, position=(0.0, 0.0, 0.0), series="1.2.3", number=1, modality="CT", tags=()):
    """One DICOM slice with a patient whose name must never be seen again."""
    image = sitk.GetImageFromArray(array[np.newaxis])
    image.SetSpacing((0.7, 0.7, 3.0))
    image.SetOrigin(position)
    known = {
        "0008|0060": modality,
        "0010|0010": "SECRET^PATIENT",
        "0010|0020": "SECRET-ID",
        "0008|103e": "SECRET series",
        "0020|000d": "1.2",
        "0020|000e": series,
        "0008|0018": f"{series}.{abs(hash((path, position))) % 10**9}",
        "0020|0011": str(number),
        "0020|0032": "\\".join(map(str, position)),
        "0020|0037": "1\\0\\0\\0\\1\\0",
        **dict(tags),
    }
    for tag, value in known.items():
        image.SetMetaData(tag, value)
    writer = sitk.ImageFileWriter()
    writer.KeepOriginalImageUIDOn()
    writer.SetImageIO("GDCMImageIO")
    writer.SetFileName(str(path))
    writer.Execute(image)


def hounsfield(seed=0, shape=(24, 20)):
    """A slice with air around something soft."""
    array = np.full(shape, -1000, np.int16)
    array[6:-6, 5:-5] = 40 + np.random.default_rng(seed).integers(0, 9, (shape[0] - 12, shape[1] - 10))
    return array


def write_nifti2(path: Path, array, *, order="<"):
    """A NIfTI-2 file by the book: spacing 1.5, 2, 4, and an orientation of RAS."""
    sizes = (array.ndim, *array.shape[::-1], *(1,) * (7 - array.ndim))
    head = struct.pack(
        order + "i8shh8q3d8dqddddddqq80s24sii3d3d12diii16sB15x",
        *(540, b"n+2\0\r\n\x1a\n", 4, 16, *sizes, 0.0, 0.0, 0.0, 1.0, 1.5, 2.0, 4.0, 1.0, 0.0, 0.0, 0.0, 544),
        *(1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0, 0, b"", b"", 0, 1, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
        *(1.5, 0.0, 0.0, -7.0, 0.0, 2.0, 0.0, 11.0, 0.0, 0.0, 4.0, 23.0, 0, 2, 0, b"", 0),
    )
    path.write_bytes(head + bytes(4) + array.astype(order + "i2").tobytes())


def make_dicom(path, array, *, syntax=None, **elements):
    """A DICOM file by pydicom: `array` is (rows, columns), (frames, rows, columns) or with a last axis of 3.

    Elements are named by their keywords; None leaves one out that is there otherwise.
    """
    array = np.asarray(array)
    colours = array.shape[-1] == 3
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax or ExplicitVRLittleEndian
    frames = array.shape[0] if array.ndim - colours == 3 else None
    known = {
        "SOPClassUID": "1.2.840.10008.5.1.4.1.1.2",
        "SOPInstanceUID": generate_uid(),
        "SeriesInstanceUID": "1.2.3",
        "StudyInstanceUID": "1.2",
        "PatientName": "SECRET^PATIENT",
        "Modality": "CT",
        "Rows": array.shape[-2 - colours],
        "Columns": array.shape[-1 - colours],
        "SamplesPerPixel": 3 if colours else 1,
        "PhotometricInterpretation": "RGB" if colours else "MONOCHROME2",
        "PlanarConfiguration": 0 if colours else None,
        "BitsAllocated": array.itemsize * 8,
        "BitsStored": array.itemsize * 8,
        "HighBit": array.itemsize * 8 - 1,
        "PixelRepresentation": int(array.dtype.kind == "i"),
        "NumberOfFrames": frames,
        **({"RescaleSlope": 1, "RescaleIntercept": 0} if elements.get("Modality", "CT") == "CT" else {}),
        **elements,
    }
    for keyword, value in known.items():
        if value is not None:
            setattr(dataset, keyword, value)
    if "PixelData" not in dataset:
        order = ">" if dataset.file_meta.TransferSyntaxUID == ExplicitVRBigEndian else "<"
        dataset.PixelData = array.astype(array.dtype.newbyteorder(order)).tobytes()
    dataset["PixelData"].VR = "OW" if dataset.BitsAllocated > 8 else "OB"
    dataset.save_as(path, enforce_file_format=True)
    return path


def make_slice(path, array, height=0.0, *, position=None, axes=(1, 0, 0, 0, 1, 0), spacing=(0.7, 0.7), **elements):
    """A slice that knows its place; `height` lies along z."""
    return make_dicom(
        path,
        array,
        **{
            "ImagePositionPatient": list(position or (5.0, 6.0, height)),
            "ImageOrientationPatient": list(axes),
            "PixelSpacing": list(spacing),
            "SliceThickness": 3,
            **elements,
        },
    )
