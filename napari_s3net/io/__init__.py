"""Files to records and back. The only home of SimpleITK, pydicom and nibabel; never torch, never Qt."""

from __future__ import annotations

from napari_s3net.io.read import TimeSeries, dicom_in, read_image, read_labels, read_stack, read_times, series_in
from napari_s3net.io.validation.headers import is_readable
from napari_s3net.io.write import write_image, write_jpeg, write_json, write_label_slices, write_labels, write_png

__all__ = [
    "TimeSeries",
    "dicom_in",
    "is_readable",
    "read_image",
    "read_labels",
    "read_stack",
    "read_times",
    "series_in",
    "write_image",
    "write_jpeg",
    "write_json",
    "write_label_slices",
    "write_labels",
    "write_png",
]
