"""Where a NIfTI file places its voxels: which of its two placings holds, its unit, and what labels are to be given."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from nibabel.quaternions import quat2mat
from numpy.typing import NDArray

from napari_s3net.errors import ReadWarning, UnsupportedFormatError
from napari_s3net.geometry import NiftiForms
from napari_s3net.io.geometry import SHEARED, Grid, has_right_angles
from napari_s3net.io.validation.nifti import NiftiHeader

#: Two placings that differ by less than this share of a voxel are one.
AGREE = 0.1
#: By this much the numbers of a quaternion may be too large for a rotation: headers round, some to three decimals.
_ROUNDED = 0.005
#: NIfTI's units of length in mm: metres, millimetres, micrometres; 0 is unknown, and taken for millimetres.
_MILLIMETRES = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}
#: Said of a volume without a placing. The standard's method 1 is taken: right, front, head; nibabel takes left, front,
#: head, and ITK left, back, head.
UNPLACED = "its header does not say which side is left; the first axis is taken to run to the right. Check the sides."
#: From NIfTI's world (right, front, head) to DICOM's (left, back, head).
_TO_LPS = np.diag([-1.0, -1.0, 1.0])


def placing(header: NiftiHeader) -> tuple[NDArray[np.float64], NiftiForms | None]:
    """Find where the voxels lie: the sform where there is one, else the qform, else the spacing alone.

    This is nibabel's rule and that of FSL. A form whose axes are not at right angles gives way to the other.

    Parameters
    ----------
    header : NiftiHeader
        That has been checked.

    Returns
    -------
    affine : numpy.ndarray
        (4, 4), from voxel to the world of NIfTI (right, front, head), in mm.
    forms : NiftiForms or None
        What labels are to be written with; None where the header tells no spacing either.

    Raises
    ------
    UnsupportedFormatError
        If no form has its axes at right angles.

    Warns
    -----
    ReadWarning
        If the two forms disagree by more than a tenth of a voxel within the volume, or the sform alone and the spacing
        do; or if a volume has none.
    """
    head, unit = header.nibabel, _MILLIMETRES.get(int(header.nibabel["xyzt_units"]) & 7, 1.0)
    if not _is_placed(header):
        if len(header.sizes) > 2:
            warnings.warn(UNPLACED, ReadWarning, stacklevel=3)
        steps = np.where(_has_spacing(head), np.abs(head["pixdim"][1:4]), 1.0) * unit
        return np.diag([*steps, 1.0]), _forms(header, {}) if _has_spacing(head).all() else None
    known: dict[str, NDArray[np.float64]] = {}
    if int(head["sform_code"]) > 0:
        known["sform"] = np.asarray(head.get_sform(), float)
    if int(head["qform_code"]) > 0:
        known["qform"] = _qform(head)
    usable = {key: form for key, form in known.items() if np.isfinite(form).all() and has_right_angles(form[:3, :3])}
    if not usable:
        raise UnsupportedFormatError(SHEARED)
    chosen, affine = next(iter(usable.items()))
    if len(known) == 2:
        _tell_disagreement(header, known, chosen)
    elif chosen == "sform":
        _tell_spacing(header, affine, unit)
    affine = affine.copy()
    affine[:3] *= unit
    return affine, _forms(header, known)


def _forms(header: NiftiHeader, known: dict[str, NDArray[np.float64]]) -> NiftiForms:
    """The placings of a header as they stand in it; those that it does not know have the code 0."""
    head = header.nibabel
    qform, sform = (
        (int(head[f"{key}_code"]) if key in known else 0, tuple(map(tuple, known.get(key, np.eye(4)).tolist())))
        for key in ("qform", "sform")
    )
    return NiftiForms(qform, sform, tuple(np.abs(head["pixdim"][1:4]).tolist()), int(head["xyzt_units"]) & 7)


def unit_of(header: NiftiHeader) -> Literal["mm", "pixel"]:
    """Tell whether sizes are in mm, or whether a header without placings lacks a spacing along one of its axes.

    Parameters
    ----------
    header : NiftiHeader
        That has been checked.

    Returns
    -------
    {"mm", "pixel"}
        "pixel" where a spacing is zero or not finite, unless there is a single voxel along that axis.

    Warns
    -----
    ReadWarning
        With "pixel".
    """
    head = header.nibabel
    sizes = np.array([*header.sizes[:3], 1, 1][:3])
    if _is_placed(header) or (_has_spacing(head) | (sizes == 1)).all():
        return "mm"
    warnings.warn("its header tells no spacing that makes sense; sizes are in pixels.", ReadWarning, stacklevel=3)
    return "pixel"


def _is_placed(header: NiftiHeader) -> bool:
    """Whether a header says where in the patient the volume lies."""
    head = header.nibabel
    return not header.analyze and (int(head["qform_code"]) > 0 or int(head["sform_code"]) > 0)


def _has_spacing(head: Any) -> NDArray[np.bool_]:
    """(3,): along which axes a header tells the spacing."""
    spacing = np.asarray(head["pixdim"][1:4], float)
    return np.asarray(np.isfinite(spacing) & (spacing != 0))


def _qform(head: Any) -> NDArray[np.float64]:
    """The matrix of the qform as NIfTI's own library makes it; one whose numbers make no rotation is none.

    A handedness of 0 is 1, a negative spacing counts without its sign, and a quaternion that is rounded is one.
    """
    imaginary = np.array([head[f"quatern_{axis}"] for axis in "bcd"], float)
    rest = 1 - float(imaginary @ imaginary)
    if not rest > -_ROUNDED:
        return np.full((4, 4), np.nan)
    matrix = np.eye(4)
    turned = quat2mat([np.sqrt(max(0.0, rest)), *imaginary])  # type: ignore[no-untyped-call]
    matrix[:3, :3] = turned * np.abs(head["pixdim"][1:4])
    matrix[:3, 2] *= -1 if head["pixdim"][0] < 0 else 1
    matrix[:3, 3] = [head[f"qoffset_{axis}"] for axis in "xyz"]
    return matrix


def _tell_disagreement(header: NiftiHeader, forms: dict[str, NDArray[np.float64]], chosen: str) -> None:
    """Say how far apart two placings lay a corner of the volume, and which holds."""
    one, other = forms.values()
    apart = _apart(one, other, header.sizes)
    voxel = float(np.linalg.norm(forms[chosen][:3, :3], axis=0).min())
    if apart > AGREE * voxel:
        warnings.warn(
            f"its two placings (qform and sform) disagree by up to {apart:.3g} mm; the {chosen} is used.",
            ReadWarning,
            stacklevel=3,
        )


def _apart(one: NDArray[np.float64], other: NDArray[np.float64], sizes: Sequence[int]) -> float:
    """How far apart two placings lay a corner of a volume; infinite where one of them makes no sense."""
    corners = np.array(np.meshgrid(*([0, n - 1] for n in (*sizes[:3], 1, 1)[:3]))).reshape(3, -1)
    places = [form[:3, :3] @ corners + form[:3, 3:] for form in (one, other)]
    finite = all(np.isfinite(place).all() for place in places)
    return float(np.linalg.norm(places[0] - places[1], axis=0).max()) if finite else np.inf


def is_placed_once(forms: NiftiForms, sizes: Sequence[int]) -> bool:
    """Tell whether programs agree where a volume lies, whichever of its file's placings they go by.

    Parameters
    ----------
    forms : NiftiForms
        Of the file.
    sizes : sequence of int
        Of the volume, x first.

    Returns
    -------
    bool
        False also where the file has no placing: each program has a guess of its own then.
    """
    known = [np.array(matrix) for code, matrix in forms[:2] if code > 0]
    if not known:
        return False
    steps = np.linalg.norm(known[0][:3, :3], axis=0)
    reach = np.array([*sizes[:3], 1, 1][:3]) - 1
    told = np.array(forms.steps or steps)
    even = (np.abs(told - steps) * reach <= AGREE * steps) | (told == 0)
    return bool(even.all()) and _apart(known[0], known[-1], sizes) <= AGREE * float(steps.min())


def _tell_spacing(header: NiftiHeader, sform: NDArray[np.float64], unit: float) -> None:
    """Say that the sform makes voxels of another size than the header's spacing, by which other programs go."""
    steps, spacing = np.linalg.norm(sform[:3, :3], axis=0), np.abs(header.nibabel["pixdim"][1:4].astype(float))
    apart = np.abs(steps - spacing) * (np.array([*header.sizes[:3], 1, 1][:3]) - 1)
    if (_has_spacing(header.nibabel) & (apart > AGREE * steps)).any():
        one, other = (" × ".join(f"{size * unit:.4g}" for size in sizes) for sizes in (steps, spacing))
        text = f"its placing (sform) and its spacing (pixdim) disagree, {one} mm and {other} mm; the sform is used."
        warnings.warn(text, ReadWarning, stacklevel=4)


def grid_of(affine: NDArray[np.float64]) -> Grid:
    """Make the grid of a placing, in DICOM's world; axes that rounding has bent are set at right angles again.

    Parameters
    ----------
    affine : numpy.ndarray
        (4, 4), from voxel to the world of NIfTI, in mm; see `placing`.

    Returns
    -------
    Grid
        In mm, its world left, back, head.
    """
    matrix = _TO_LPS @ affine[:3, :3]
    spacing = np.linalg.norm(matrix, axis=0)
    left, _, right = np.linalg.svd(matrix / spacing)
    straight = left @ right
    direction = matrix / spacing if np.allclose(straight, matrix / spacing, atol=1e-6) else straight
    return Grid(spacing, _TO_LPS @ affine[:3, 3], direction)
