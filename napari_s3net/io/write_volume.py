"""Write a volume as NIfTI, NRRD or MHA, on the voxels of the file that its image came from."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_s3net.geometry import NiftiForms
from napari_s3net.image import Geometry
from napari_s3net.io.segments import FILE_UNIT, PIXEL, to_lines

#: NIfTI-1 counts no further along an axis.
_NIFTI1_AXIS = (1 << 15) - 1
#: Why nothing but NIfTI is written where not `lies_in_one_place`.
NO_ONE_PLACE = (
    "the NIfTI file of its image has no placing, or two that disagree, and programs differ in where they lay it. "
    "Save NIfTI (.nii.gz), which gets all that the image's file tells."
)


def lies_in_one_place(labels: NDArray[Any], geometry: Geometry) -> bool:
    """Tell whether every program lays an image where what is made from it lies, also in another format than NIfTI.

    Parameters
    ----------
    labels : numpy.ndarray
        (H, W), (Z, H, W) or (T, Z, H, W), as in `write_volume`.
    geometry : Geometry
        Of one volume.

    Returns
    -------
    bool
        False for an image from a NIfTI file without a placing, or with two that disagree.
    """
    forms = geometry.in_space().nifti_forms
    if forms is None:
        return True
    from napari_s3net.io.geometry import to_file_grid
    from napari_s3net.io.nifti_placing import is_placed_once

    volume = labels[0] if labels.ndim == 4 else labels
    return is_placed_once(forms, to_file_grid(volume, geometry)[0].shape[::-1])


def write_volume(
    temporary: Path, labels: NDArray[Any], geometry: Geometry, fields: Mapping[str, str] | None = None
) -> None:
    """Write a volume on the voxel grid of the image's file, in the numbers in which that file tells its sizes.

    Parameters
    ----------
    temporary : Path
        Its suffixes say the format: .nii, .nii.gz, .nrrd or .mha.
    labels : numpy.ndarray
        (H, W), (Z, H, W) or (T, Z, H, W).
    geometry : Geometry
        Of one volume.
    fields : mapping of str to str, optional
        For the header.

    Raises
    ------
    OSError
        If the place cannot be written.
    """
    forms, is_nifti = geometry.in_space().nifti_forms, ".nii" in temporary.suffixes
    if forms is not None and is_nifti:
        _write_nifti(temporary, labels, geometry, forms, fields or {})
        return
    import SimpleITK as sitk

    from napari_s3net.io.geometry import to_file_order

    unit, told = geometry.in_space().file_unit, geometry.in_file_unit()
    fields = {**(fields or {}), **({} if unit == "mm" else {FILE_UNIT: unit})}
    try:
        volumes = [to_file_order(volume, told) for volume in (labels if labels.ndim == 4 else [labels])]
        image = sitk.JoinSeries(volumes) if labels.ndim == 4 else volumes[0]
        if is_nifti and fields:
            _write_nifti_with(temporary, image, fields)
        else:
            _write_meta_or_nrrd(temporary, image, fields)
    except RuntimeError as error:
        raise OSError(None, "the volume could not be written") from error


def _write_meta_or_nrrd(temporary: Path, image: Any, fields: Mapping[str, str]) -> None:
    """A SimpleITK image with fields; of a unit that is told in them, MHA has a field of its own, and so has NRRD."""
    import SimpleITK as sitk

    from napari_s3net.io.itk import plain_path

    for key, value in fields.items():
        image.SetMetaData(key, value)
    unit = fields.get(FILE_UNIT, PIXEL)
    if unit != PIXEL:
        image.SetMetaData("ITK_VoxelUnits", unit)
    with plain_path(temporary.parent) as folder:
        sitk.WriteImage(image, str(folder / temporary.name), useCompression=True)
    if unit != PIXEL and temporary.suffix == ".nrrd":  # SimpleITK knows no such field of NRRD
        header, end, pixels = temporary.read_bytes().partition(b"\n\n")
        axes = " ".join([f'"{unit}"'] * min(3, image.GetDimension()) + ['""'] * (image.GetDimension() - 3))
        temporary.write_bytes(header + f"\nspace units: {axes}".encode() + end + pixels)


def _write_nifti_with(temporary: Path, image: Any, fields: Mapping[str, str]) -> None:
    """A SimpleITK image as NIfTI with fields: SimpleITK writes none, and nibabel adds them to what it wrote.

    What is not in millimetres is in an unknown unit here: told in micrometres, its sizes alone would be converted, and
    not those of its image.
    """
    import nibabel
    import SimpleITK as sitk

    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder, "plain.nii")
        sitk.WriteImage(image, str(plain))
        written: Any = nibabel.load(plain)
        if FILE_UNIT in fields:
            written.header["xyzt_units"] = 0
        written.header.extensions.append(_comment(fields))
        nibabel.save(written, temporary)


def _comment(fields: Mapping[str, str]) -> Any:
    """Fields as a NIfTI extension."""
    import nibabel

    return nibabel.nifti1.Nifti1Extension("comment", to_lines(fields).encode())


def _write_nifti(
    temporary: Path, labels: NDArray[Any], geometry: Geometry, forms: NiftiForms, fields: Mapping[str, str]
) -> None:
    """NIfTI with the placings, the spacing and the units of the image's file: every program lays it on the image."""
    import nibabel

    from napari_s3net.io.geometry import to_file_grid

    volumes = [to_file_grid(volume, geometry)[0] for volume in (labels if labels.ndim == 4 else [labels])]
    array = np.stack(volumes) if labels.ndim == 4 else volumes[0]
    kind = nibabel.Nifti1Image if max(array.shape) <= _NIFTI1_AXIS else nibabel.Nifti2Image
    image: Any = kind(array.T, None)  # type: ignore[no-untyped-call]
    for (code, matrix), place in zip(forms[:2], (image.header.set_qform, image.header.set_sform), strict=True):
        place(np.array(matrix) if code else None, code)
    if forms.steps:
        image.header["pixdim"][1:4] = forms.steps
    image.header["xyzt_units"] = forms.units
    if fields:
        image.header.extensions.append(_comment(fields))
    nibabel.save(image, temporary)
