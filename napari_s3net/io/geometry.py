"""Between a file's order of axes (x, y, z; any orientation) and ours (z, y, x; upright, slices first).

The world is DICOM's: x runs to the patient's left (L), y to the back (P), z to the head (S). An orientation is three
letters, one for each array axis in the order x, y, z: the side to which its index grows.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_s3net.geometry import UPRIGHT
from napari_s3net.image import Geometry

if TYPE_CHECKING:
    import SimpleITK as sitk

#: How slices are shown, by the world axis across them: sagittal, coronal and axial, the head or the front up.
SHOWN = {0: "PIL", 1: "LIP", 2: "LPS"}
#: An axis whose spacing is this much coarser than both others is the one across the slices.
COARSER = 1.5
#: Orientations of a photograph whose rows are its columns.
ON_THEIR_SIDE = (5, 6, 7, 8)
_LETTERS = ("LR", "PA", "SI")
#: Axes whose cosine is above this are not at right angles; headers round to 3 decimals.
SKEW = 0.01
#: Why an image whose axes are not at right angles is refused: distances, areas and volumes would be wrong.
SHEARED = "its axes are not at right angles (sheared), or of no true length, which is not read here; resample it."


@dataclass(frozen=True)
class Grid:
    """A grid of voxels as its file has it, everything in the order x, y, z.

    Parameters
    ----------
    spacing : numpy.ndarray
        (3,), distance between neighbours along each array axis.
    origin : numpy.ndarray
        (3,), world position of voxel (0, 0, 0).
    direction : numpy.ndarray
        (3, 3), column j is the unit vector of array axis j.
    """

    spacing: NDArray[np.float64]
    origin: NDArray[np.float64]
    direction: NDArray[np.float64]

    @classmethod
    def of(cls, spacing: Any, origin: Any, direction: Any) -> Grid:
        """Make a grid from anything that numpy takes; one of two dimensions lies in the axial plane through zero.

        Parameters
        ----------
        spacing, origin : sequence of float
            2 or 3 numbers in the order x, y, z.
        direction : array-like
            (n, n) or flat, column j the unit vector of array axis j.

        Returns
        -------
        Grid
            Of three dimensions; what is missing is spacing 1, origin 0 and the z axis.
        """
        n = len(spacing)
        axes = np.eye(3)
        axes[:n, :n] = np.reshape(direction, (n, n))
        return cls(np.array([*spacing, 1.0][:3], float), np.array([*origin, 0.0][:3], float), axes)


def orientation_of(direction: NDArray[Any]) -> str:
    """Name the world axes to which the array axes are nearest.

    Parameters
    ----------
    direction : numpy.ndarray
        (3, 3), column j is the unit vector of array axis j, in the order x, y, z.

    Returns
    -------
    str
        Three letters such as "LPS", each world axis once: the side to which the index along x, y and z grows.
    """
    nearest = max(permutations(range(3)), key=lambda axes: float(sum(direction[w, j] ** 2 for j, w in enumerate(axes))))
    return "".join(_LETTERS[world][int(direction[world, axis] < 0)] for axis, world in enumerate(nearest))


def has_right_angles(axes: NDArray[np.float64], *, unit: bool = False) -> bool:
    """Tell whether the axes of a grid are perpendicular, so that its spacing measures distances.

    Parameters
    ----------
    axes : numpy.ndarray
        (3, 3), column j points along array axis j.
    unit : bool
        Whether the axes have to be of length 1 as well.

    Returns
    -------
    bool
        False also where an axis has no length, or one that is not finite.
    """
    lengths = np.linalg.norm(axes, axis=0)
    if not (np.isfinite(lengths).all() and (lengths > 0).all()):
        return False
    squares = axes.T @ axes if unit else (axes / lengths).T @ (axes / lengths)
    return bool(np.abs(squares - np.eye(3)).max() < SKEW)


def turn(array: NDArray[Any], grid: Grid, now: str, then: str) -> tuple[NDArray[Any], Grid]:
    """Turn an array and its grid from one orientation to another, by flips and swaps of axes alone.

    Parameters
    ----------
    array : numpy.ndarray
        (Z, Y, X), colours in a last axis.
    grid : Grid
        Where the array lies.
    now, then : str
        Orientations of three letters, before and after. They are not computed from the grid: at 45° the nearest axis is
        a matter of rounding, and turning back would not undo the turn.

    Returns
    -------
    array : numpy.ndarray
        A view of the same values, its axes in the new order.
    grid : Grid
        Where that array lies: every voxel has kept its place in the world.
    """
    axes = [next(j for j, letter in enumerate(now) if _world(letter) == _world(wanted)) for wanted in then]
    flips = [now[axis] != wanted for axis, wanted in zip(axes, then, strict=True)]
    direction, origin = grid.direction[:, axes].copy(), grid.origin.copy()
    for new, (axis, flip) in enumerate(zip(axes, flips, strict=True)):
        if flip:
            origin = origin + direction[:, new] * grid.spacing[axis] * (array.shape[2 - axis] - 1)
            direction[:, new] *= -1
    order = [2 - axis for axis in reversed(axes)]
    turned = array.transpose([*order, *range(3, array.ndim)])
    turned = np.flip(turned, tuple(2 - new for new in range(3) if flips[new]))
    return turned, Grid(grid.spacing[axes], origin, direction)


def _world(letter: str) -> int:
    """The world axis that a letter lies on."""
    return next(axis for axis, pair in enumerate(_LETTERS) if letter in pair)


def to_upright(array: NDArray[Any], grid: Grid, unit: Literal["mm", "pixel"] = "mm") -> tuple[NDArray[Any], Geometry]:
    """Turn a volume upright, its slices in the plane in which they were taken; nothing is resampled.

    Parameters
    ----------
    array : numpy.ndarray
        (Z, Y, X) as in the file, colours in a last axis.
    grid : Grid
        Where it lies.
    unit : {"mm", "pixel"}
        Whether the spacing is in mm, or only the 1 of a file that does not tell it.

    Returns
    -------
    array : numpy.ndarray
        (Z, H, W), or (H, W) for a volume of one slice. Axial slices run from feet to head, coronal ones from front to
        back, sagittal ones from right to left; rows run to the back, or to the feet. Colours stay in a last axis.
    geometry : Geometry
        Of that array; knows the orientation that the file had. What is left of an oblique direction stays in it.
    """
    orientation = orientation_of(grid.direction)
    shown = SHOWN[_world(orientation[_across(array, grid)])]
    array, grid = turn(array, grid, orientation, shown)
    geometry = _in_array_order(grid, orientation, shown, unit)
    return (array[0], geometry.plane(0)) if len(array) == 1 else (array, geometry)


def _across(array: NDArray[Any], grid: Grid) -> int:
    """The array axis across the slices: the one of a single slice, or the coarsest by far, or the last of the file."""
    thin = [axis for axis in range(3) if array.shape[2 - axis] == 1]
    if len(thin) == 1:
        return thin[0]
    *_, second, coarsest = np.argsort(grid.spacing)
    return int(coarsest) if grid.spacing[coarsest] > COARSER * grid.spacing[second] else 2


def _in_array_order(grid: Grid, orientation: str, shown: str, unit: Literal["mm", "pixel"]) -> Geometry:
    """Spacing, origin and direction in array order."""
    return Geometry(
        tuple(grid.spacing[::-1].tolist()),
        tuple(grid.origin[::-1].tolist()),
        tuple(tuple(row) for row in grid.direction[::-1, ::-1].tolist()),
        unit,
        orientation,
        shown=shown,
    )


def to_upright_plane(array: NDArray[Any], grid: Grid, unit: Literal["mm", "pixel"]) -> tuple[NDArray[Any], Geometry]:
    """Turn a plane upright; unlike `to_upright` it gives a geometry of two dimensions, without a place in a volume.

    Parameters
    ----------
    array : numpy.ndarray
        (Y, X) as in the file, colours in a last axis.
    grid : Grid
        Where it lies.
    unit : {"mm", "pixel"}
        As in `to_upright`.

    Returns
    -------
    array : numpy.ndarray
        (H, W), colours in a last axis.
    geometry : Geometry
        Of that array, with two axes; knows the orientation that the file had.
    """
    orientation = orientation_of(grid.direction)
    turned, grid = turn(array[np.newaxis], grid, orientation, "LPS")
    geometry = _in_array_order(grid, orientation, "LPS", unit)
    return turned[0], Geometry(
        geometry.spacing[1:],
        geometry.origin[1:],
        tuple(row[1:] for row in geometry.direction[1:]),
        unit,
        orientation,
    )


def to_array_order(image: sitk.Image, unit: Literal["mm", "pixel"] = "mm") -> tuple[NDArray[Any], Geometry]:
    """Turn a SimpleITK image upright and into array order (z, y, x).

    Parameters
    ----------
    image : SimpleITK.Image
        Of 2 or 3 dimensions.
    unit : {"mm", "pixel"}
        As in `to_upright`.

    Returns
    -------
    array : numpy.ndarray
        (H, W) or (Z, H, W), colours in a last axis.
    geometry : Geometry
        Of that array; see `to_upright` and `to_upright_plane`.
    """
    from napari_s3net.io.itk import array_of

    grid = Grid.of(image.GetSpacing(), image.GetOrigin(), image.GetDirection())
    array = array_of(image)
    return to_upright_plane(array, grid, unit) if image.GetDimension() == 2 else to_upright(array, grid, unit)


def one_of_eight(orientation: int) -> int:
    """Take what is no orientation of a photograph for upright.

    Parameters
    ----------
    orientation : int
        As a file notes it.

    Returns
    -------
    int
        1 to 8.
    """
    return orientation if UPRIGHT <= orientation <= max(ON_THEIR_SIDE) else UPRIGHT


def turn_photograph(array: NDArray[Any], orientation: int, row: int = 0) -> NDArray[Any]:
    """Undo the orientation that a camera or scanner noted (EXIF and TIFF 6.0, tag 274).

    Parameters
    ----------
    array : numpy.ndarray
        Pixels as they are stored.
    orientation : int
        1 to 8; any other number is none.
    row : int
        The axis of the rows; that of the columns follows it.

    Returns
    -------
    numpy.ndarray
        A view of the same values, upright.
    """
    if orientation in ON_THEIR_SIDE:
        array = array.swapaxes(row, row + 1)
    if orientation in (3, 4, 7, 8):
        array = np.flip(array, row)
    if orientation in (2, 3, 6, 7):
        array = np.flip(array, row + 1)
    return array


def as_stored(array: NDArray[Any], orientation: int, row: int = 0) -> NDArray[Any]:
    """Lay pixels as they are stored: the inverse of `turn_photograph`.

    Parameters
    ----------
    array : numpy.ndarray
        Upright pixels.
    orientation, row : int
        As in `turn_photograph`.

    Returns
    -------
    numpy.ndarray
        A view of the same values.
    """
    return turn_photograph(array, {6: 8, 8: 6}.get(orientation, orientation), row)


def to_file_grid(array: NDArray[Any], geometry: Geometry) -> tuple[NDArray[Any], Grid]:
    """Put an array back on the voxel grid of the file that its geometry came from: the inverse of `to_upright`.

    Parameters
    ----------
    array : numpy.ndarray
        (Z, H, W) or (H, W), as many axes as the geometry.
    geometry : Geometry
        That of the image.

    Returns
    -------
    array : numpy.ndarray
        (Z, Y, X), or (Y, X) for an image that was flat in its file.
    grid : Grid
        Where it lies.
    """
    if geometry.volume is not None:
        array, geometry = array[np.newaxis], geometry.in_space()
    grid = Grid.of(geometry.spacing[::-1], geometry.origin[::-1], np.asarray(geometry.direction)[::-1, ::-1])
    flat = array.ndim == 2
    if geometry.orientation:
        volume = array[np.newaxis] if flat else array
        volume, grid = turn(volume, grid, geometry.shown, geometry.orientation)
        array = volume[0] if flat else volume
    return array, grid


def to_file_order(array: NDArray[Any], geometry: Geometry) -> sitk.Image:
    """Put an array back on the voxel grid of its file, as a SimpleITK image.

    Parameters
    ----------
    array : numpy.ndarray
        (Z, H, W) or (H, W), as many axes as the geometry.
    geometry : Geometry
        That of the image.

    Returns
    -------
    SimpleITK.Image
        What `to_file_grid` gives, with spacing, origin and direction.
    """
    import SimpleITK as sitk

    array, grid = to_file_grid(array, geometry)
    image = sitk.GetImageFromArray(array)
    n = image.GetDimension()
    image.SetSpacing(grid.spacing[:n].tolist())
    image.SetOrigin(grid.origin[:n].tolist())
    image.SetDirection(grid.direction[:n, :n].ravel().tolist())
    return image
