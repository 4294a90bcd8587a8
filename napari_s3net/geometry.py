"""Where the pixels of an array lie in the world, and what a NIfTI header says of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple

#: Code of a form, 0 for none, and its matrix (4, 4).
Form = tuple[int, tuple[tuple[float, ...], ...]]
#: NIfTI's code of millimetres.
MILLIMETRES = 2
#: Left and right, front (anterior) and back (posterior), feet (inferior) and head (superior).
OPPOSITE = dict(zip("LRPASI", "RLAPIS", strict=True))
#: What a photograph notes that is stored as it is shown, and what stands for "as it is shown" whatever its image notes.
UPRIGHT, AS_SHOWN = 1, 0
#: Millimetres of each unit that the sizes of a file may be in.
LENGTHS = {"m": 1000.0, "cm": 10.0, "mm": 1.0, "um": 1e-3, "nm": 1e-6}


class NiftiForms(NamedTuple):
    """The placings of a NIfTI file, to be copied unchanged: programs differ in which of them they go by.

    Parameters
    ----------
    qform, sform : tuple
        Code and 4 × 4 matrix of each, in the file's own unit.
    steps : tuple of float
        (3,), spacing along x, y and z as the file's `pixdim` tells it, in that unit; empty where it was not kept.
    units : int
        NIfTI's code of the unit of length, 0 where the file does not tell it.
    """

    qform: Form
    sform: Form
    steps: tuple[float, ...] = ()
    units: int = MILLIMETRES

    @property
    def is_placed(self) -> bool:
        """Whether one of them has a code above 0; else only a spacing is known."""
        return self.qform[0] > 0 or self.sform[0] > 0


def forms_of_json(values: Sequence[Any] | None) -> NiftiForms | None:
    """Make forms of values that went through JSON.

    Parameters
    ----------
    values : sequence, optional
        Qform and sform, then steps and units where they were kept.

    Returns
    -------
    NiftiForms or None
        Equal to the ones from before; None for None.
    """
    if values is None:
        return None
    qform, sform = ((int(code), tuple(map(tuple, matrix))) for code, matrix in values[:2])
    steps, units = (*values[2:], (), MILLIMETRES)[:2] if len(values) >= 4 else ((), MILLIMETRES)
    return NiftiForms(qform, sform, tuple(steps), units)


@dataclass(frozen=True)
class Geometry:
    """Where the pixels of an array lie in the world. Every tuple is in array order: (z, y, x) or (y, x).

    Parameters
    ----------
    spacing : tuple of float
        Distance between neighbouring pixels along each array axis, in `unit`.
    origin : tuple of float
        World position of pixel (0, 0[, 0]).
    direction : tuple of tuple of float
        Row i, column j: the share of array axis j in world axis i.
    unit : {"mm", "pixel"}
        "pixel" where the file says nothing about its spacing.
    orientation : str
        Three letters of the orientation that the file had before it was turned (for example "RAS");
        empty where nothing was turned. Writing turns the array back.
    volume : Geometry, optional
        Of one plane of a volume: where that plane lies in space, as a volume of shape (1, H, W).
    shown : str
        Three letters of the orientation that the array has been turned to: "LPS" for axial slices, "LIP" for coronal
        and "PIL" for sagittal ones, others where slices are counted `along` another axis. Each letter stands for an
        array axis, the last one first.
    nifti_forms : NiftiForms, optional
        Of a whole volume from NIfTI: its placings as they stand in the file, for the labels to get the same ones.
    file_unit : str
        One of `LENGTHS`: the unit of an NRRD's or MetaImage's own numbers. Most programs take these for millimetres, so
        labels are written with the same numbers.
    noted : int
        Orientation that a photograph's file notes (EXIF and TIFF 6.0, tag 274), 1 to 8, by which it was turned upright:
        `UPRIGHT` where it notes none. `AS_SHOWN` of labels that were written here: they lie as their image is shown. It
        says nothing of where the array lies, so that geometries are equal that differ in it alone.
    """

    spacing: tuple[float, ...]
    origin: tuple[float, ...]
    direction: tuple[tuple[float, ...], ...]
    unit: Literal["mm", "pixel"] = "mm"
    orientation: str = ""
    volume: Geometry | None = None
    shown: str = "LPS"
    nifti_forms: NiftiForms | None = None
    file_unit: str = "mm"
    noted: int = field(default=UPRIGHT, compare=False)

    @classmethod
    def identity(cls, ndim: int) -> Geometry:
        """Make the geometry of an image that says nothing about its place.

        Parameters
        ----------
        ndim : int
            Number of array axes, 2 or 3.

        Returns
        -------
        Geometry
            Unit spacing, origin at zero, axes along the world's axes; the unit is the pixel.
        """
        direction = tuple(tuple(float(i == j) for j in range(ndim)) for i in range(ndim))
        return cls((1.0,) * ndim, (0.0,) * ndim, direction, unit="pixel")

    @property
    def ndim(self) -> int:
        """Number of array axes, 2 or 3."""
        return len(self.spacing)

    def plane(self, index: int, slices: int = 0) -> Geometry:
        """Return the 2-D geometry of one plane of a volume.

        Parameters
        ----------
        index : int
            Which plane along the first axis, from 0.
        slices : int
            How many planes the volume has. The placings of its NIfTI file go along where it is told and they hold more
            than a spacing.

        Returns
        -------
        Geometry
            With two axes; its `volume` remembers where in space the plane lies.
        """
        volume = self.part(index, index, slices)
        flat = ((1.0, 0.0), (0.0, 1.0))
        return Geometry(self.spacing[1:], (0.0, 0.0), flat, self.unit, volume=volume, noted=self.noted)

    def part(self, first: int, last: int, slices: int = 0) -> Geometry:
        """Return the geometry of some slices of a volume.

        Parameters
        ----------
        first, last : int
            Along the first axis, from 0; both belong to it.
        slices : int
            As in `plane`.

        Returns
        -------
        Geometry
            With three axes.
        """
        step = self.spacing[0] * first
        origin = tuple(o + row[0] * step for o, row in zip(self.origin, self.direction, strict=True))
        forms = self.nifti_forms
        if forms is not None:
            forms = self._moved(forms, first, last, slices) if slices and forms.is_placed else None
        return replace(self, origin=origin, nifti_forms=forms)

    def _moved(self, forms: NiftiForms, first: int, last: int, slices: int) -> NiftiForms:
        """The placings of a file for some of its slices alone, which run to the other side where they were turned."""
        across = self.shown[-1]
        axis = next(at for at, letter in enumerate(self.orientation) if letter in (across, OPPOSITE[across]))
        steps = first if self.orientation[axis] == across else slices - 1 - last
        qform, sform = (
            (code, tuple((*row[:3], row[3] + steps * row[axis]) for row in matrix)) for code, matrix in forms[:2]
        )
        return forms._replace(qform=qform, sform=sform)

    def in_space(self) -> Geometry:
        """Return where a plane lies as a volume of shape (1, H, W), with the size of pixels that the plane has now.

        Returns
        -------
        Geometry
            Itself where this is no plane of a volume.
        """
        if self.volume is None:
            return self
        forms = self.volume.nifti_forms if self.volume.spacing[1:] == self.spacing else None
        spacing = (self.volume.spacing[0], *self.spacing)
        return replace(self.volume, spacing=spacing, unit=self.unit, nifti_forms=forms)

    def told_in(self, file_unit: str) -> Geometry:
        """Return the same place, of a file that tells it in another unit.

        Parameters
        ----------
        file_unit : str
            One of `LENGTHS`.

        Returns
        -------
        Geometry
            Still in mm; of a plane, its volume's too.
        """
        volume = None if self.volume is None else self.volume.told_in(file_unit)
        return replace(self, file_unit=file_unit, volume=volume)

    def times(self, factor: float) -> Geometry:
        """Return the geometry with every length multiplied.

        Parameters
        ----------
        factor : float
            Above 0.

        Returns
        -------
        Geometry
            Without placings of NIfTI where anything changes.
        """
        if factor == 1:
            return self
        spacing, origin = (tuple(factor * length for length in lengths) for lengths in (self.spacing, self.origin))
        volume = None if self.volume is None else self.volume.times(factor)
        return replace(self, spacing=spacing, origin=origin, volume=volume, nifti_forms=None)

    def in_file_unit(self) -> Geometry:
        """Return the geometry in the numbers of its file, as programs read them that take any number for millimetres.

        Returns
        -------
        Geometry
            Itself for most files, whose unit is the millimetre.
        """
        told = (self.volume or self).file_unit
        return self.times(1 / LENGTHS[told]) if self.unit == "mm" else self

    def along(self, axis: int) -> Geometry:
        """Return the geometry of a volume whose slices are counted along another axis.

        Parameters
        ----------
        axis : int
            0 gives the geometry itself.

        Returns
        -------
        Geometry
            That axis first, the others in their order; every voxel keeps its place.
        """
        order = (axis, *(at for at in range(3) if at != axis))
        spacing = tuple(self.spacing[at] for at in order)
        direction = tuple(tuple(row[at] for at in order) for row in self.direction)
        letters = self.shown[::-1]
        shown = "".join(letters[at] for at in reversed(order))
        return replace(self, spacing=spacing, direction=direction, shown=shown)
