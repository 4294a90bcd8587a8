"""One plane for each frame of a DICOM file: where it lies, and how large its pixels are."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from napari_s3net.errors import ReadWarning, UnsupportedFormatError
from napari_s3net.io.dicom.header import Header, frame_numbers, groups, items, numbers, words
from napari_s3net.io.dicom.value_scale import has_colours, is_turned, scale_of, scale_told, tell_missing_scale
from napari_s3net.io.values import UNSCALED, Scale

#: How far direction cosines may be from unit vectors at right angles; headers round, some to two decimals.
BENT = 0.05
#: Why a mosaic is refused: what it shows is no slice, and its position is that of none.
_MOSAIC = (
    "it is a mosaic: the slices of a volume side by side in one picture (Siemens). Convert its series to NIfTI, as "
    "dcm2niix does, and open that."
)
#: What tells images at one place apart: element, and how it is called.
TELLS = {
    "EchoTime": "echoes",
    "EffectiveEchoTime": "echoes",
    "EchoNumbers": "echoes",
    "TemporalPositionIdentifier": "times",
    "TemporalPositionIndex": "times",
    "StackID": "stacks",
    "DiffusionBValue": "diffusion weightings",
    "DiffusionGradientOrientation": "diffusion directions",
    "InversionTime": "inversion times",
    "FlipAngle": "flip angles",
    "TriggerTime": "times",
    "NominalCardiacTriggerDelayTime": "times",
    "FrameReferenceTime": "times",
    "AcquisitionNumber": "acquisitions",
    "ImageType": "kinds of image",
    "FrameType": "kinds of image",
    "ComplexImageComponent": "kinds of image",
    "AcquisitionTime": "times",
    "ContentTime": "times",
}
#: The places of a functional group in which what tells frames apart may stand.
_TELLING_GROUPS = (
    "MREchoSequence", "FrameContentSequence", "MRDiffusionSequence", "MRModifierSequence",
    "MRTimingAndRelatedParametersSequence", "CardiacSynchronizationSequence", "TemporalPositionSequence",
    "MRImageFrameTypeSequence", "CTImageFrameTypeSequence",
)  # fmt: skip


class Place(NamedTuple):
    """Where a plane lies in space, in mm.

    Parameters
    ----------
    position : numpy.ndarray
        (3,), of the first pixel.
    axes : numpy.ndarray
        (2, 3), unit vectors along a row and along a column.
    """

    position: NDArray[np.float64]
    axes: NDArray[np.float64]

    @property
    def normal(self) -> NDArray[np.float64]:
        """The unit vector across the plane."""
        (a, b, c), (d, e, f) = self.axes.tolist()
        return np.array([b * f - c * e, c * d - a * f, a * e - b * d])

    @property
    def height(self) -> float:
        """Where the plane lies along its normal, in mm."""
        return float(self.normal @ self.position)


@dataclass(frozen=True, eq=False)
class DicomPlane:
    """A frame, and what its header says of it.

    Parameters
    ----------
    header : Header
        Of its file.
    frame : int
        Which frame of the file, from 0.
    spacing : tuple of float or None
        Distance between rows and between columns in mm; None where no element tells.
    place : Place or None
        Where it lies; None where no element tells.
    thickness : float
        Of the slice, in mm; 1 where no element tells.
    scale : Scale
        From stored numbers to values.
    turned : bool
        Whether white is zero, and the stored numbers are turned so that it is not.
    scale_told : tuple of bool
        Whether elements tell slope and intercept; without them the scale is a guess.
    """

    header: Header
    frame: int
    spacing: tuple[float, float] | None
    place: Place | None
    thickness: float = 1.0
    scale: Scale = UNSCALED
    turned: bool = False
    scale_told: tuple[bool, ...] = ()
    _tells: dict[str, str] = field(default_factory=dict)

    @property
    def is_localizer(self) -> bool:
        """Whether it is a localizer, an overview that was taken to plan the other images."""
        return "LOCALIZER" in words(self.header.dataset, "ImageType")

    def tell(self, keyword: str) -> str:
        """Return what an element says of this frame.

        Parameters
        ----------
        keyword : str
            One of `TELLS`.

        Returns
        -------
        str
            Its values, joined by backslashes; empty where there is none.
        """
        if keyword not in self._tells:
            self._tells[keyword] = _tell(self.header.dataset, self.frame, keyword)
        return self._tells[keyword]


def _tell(dataset: Dataset, frame: int, keyword: str) -> str:
    """An element of the file, or of what is said of the frame alone."""
    for group in groups(dataset, frame):
        for place in [group, *(item for name in _TELLING_GROUPS for item in items(group, name)[:1])]:
            if found := words(place, keyword):
                return "\\".join(found)
    return ""


def planes_of(header: Header) -> list[DicomPlane]:
    """Describe each frame of a file: its place, spacing, thickness and scale.

    Parameters
    ----------
    header : Header
        Of a file that holds an image.

    Returns
    -------
    list of DicomPlane
        One for each frame, in the file's own order. If one frame does not tell its place, none has one.

    Raises
    ------
    UnsupportedFormatError
        If it is a mosaic of slices.

    Warns
    -----
    ReadWarning
        If its spacing is that of a detector, its numbers cannot be understood, its pixels are not square, or white is
        zero.
    """
    dataset = header.dataset
    if "MOSAIC" in words(dataset, "ImageType"):
        raise UnsupportedFormatError(_MOSAIC)
    spacing = _spacing(dataset, header.modality)
    if spacing is None:
        _tell_oblong_pixels(dataset)
    turned = is_turned(header)
    coloured = has_colours(header)
    planes = []
    places = [_place(dataset, frame) for frame in range(header.frames)]
    if any(place is None for place in places):  # the first frame of a film may have a place, and the others none
        places = [None] * len(places)
    for frame, place in enumerate(places):
        own = _own_spacing(dataset, frame) if header.frames > 1 or "PixelSpacing" not in dataset else None
        scale = UNSCALED if coloured else scale_of(dataset, frame)
        told = () if coloured else scale_told(dataset, frame)
        planes.append(DicomPlane(header, frame, own or spacing, place, _thickness(dataset, frame), scale, turned, told))
    if not coloured:
        tell_missing_scale(header)
    return planes


def _own_spacing(dataset: Dataset, frame: int) -> tuple[float, float] | None:
    """The spacing that a functional group tells of a frame."""
    found = frame_numbers(dataset, frame, "PixelMeasuresSequence", "PixelSpacing", 2)
    return (found[0], found[1]) if found and min(found) > 0 else None


def _spacing(dataset: Dataset, modality: str) -> tuple[float, float] | None:
    """The spacing that the file itself tells, by the rules of DICOM (part 3, C.7.6.3.1.1, 10.7.1.3 and C.8.5.5)."""
    for keyword in ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing"):
        if not words(dataset, keyword):
            continue
        found = numbers(dataset, keyword, 2)
        if found is None or min(found) <= 0:
            warnings.warn("its pixel spacing cannot be understood; it is left out.", ReadWarning, stacklevel=3)
            continue
        factor = 1.0
        if keyword == "ImagerPixelSpacing":
            magnified = numbers(dataset, "EstimatedRadiographicMagnificationFactor")
            factor = magnified[0] if magnified and magnified[0] >= 1 else 1.0
            if factor == 1.0:
                text = "its spacing is that of the detector; in the patient sizes are somewhat smaller."
                warnings.warn(text, ReadWarning, stacklevel=3)
        return found[0] / factor, found[1] / factor
    return _ultrasound_spacing(dataset) if modality in ("US", "IVUS") else None


def _ultrasound_spacing(dataset: Dataset) -> tuple[float, float] | None:
    """The spacing of the calibrated regions of an ultrasound image, where it is one for all of them."""
    spacings: set[tuple[float, float]] = set()
    for region in items(dataset, "SequenceOfUltrasoundRegions"):
        if words(region, "RegionSpatialFormat") != ["1"]:  # two-dimensional; others have time or speed as an axis
            continue
        units = [words(region, f"PhysicalUnits{axis}Direction") for axis in "XY"]
        down, along = (numbers(region, f"PhysicalDelta{axis}") for axis in "YX")
        if units != [["3"], ["3"]] or not down or not along or not down[0] or not along[0]:  # centimetres
            return None
        spacings.add((round(abs(down[0]) * 10, 6), round(abs(along[0]) * 10, 6)))
    return next(iter(spacings)) if len(spacings) == 1 else None


def _thickness(dataset: Dataset, frame: int) -> float:
    """How thick the slice is, in mm; 1 where no element tells."""
    for keyword in ("SpacingBetweenSlices", "SliceThickness"):
        found = frame_numbers(dataset, frame, "PixelMeasuresSequence", keyword)
        if found and found[0] > 0:
            return found[0]
    return 1.0


def _place(dataset: Dataset, frame: int) -> Place | None:
    """Position and axes of a frame; None where no element tells one of them."""
    detector = next(iter(items(dataset, "DetectorInformationSequence")), dataset)
    position = frame_numbers(dataset, frame, "PlanePositionSequence", "ImagePositionPatient", 3)
    position = position or numbers(detector, "ImagePositionPatient", 3)
    angles = frame_numbers(dataset, frame, "PlaneOrientationSequence", "ImageOrientationPatient", 6)
    angles = angles or numbers(detector, "ImageOrientationPatient", 6)
    axes = _unit_axes(angles) if angles else None
    if position is None or axes is None:
        return None
    place = Place(np.array(position), axes)
    own = items(dataset, "PerFrameFunctionalGroupsSequence")
    if not frame or (frame < len(own) and items(own[frame], "PlanePositionSequence")):
        return place
    offset = _offset(dataset, frame)
    return None if offset is None else Place(place.position + place.normal * offset, axes)


def _offset(dataset: Dataset, frame: int) -> float | None:
    """How far a frame lies from the first along the normal, in files that place only their first frame (dose, NM)."""
    if offsets := numbers(dataset, "GridFrameOffsetVector", len(words(dataset, "GridFrameOffsetVector"))):
        return offsets[frame] - offsets[0] if frame < len(offsets) else None
    vector, step = words(dataset, "SliceVector"), numbers(dataset, "SpacingBetweenSlices")
    if step and frame < len(vector) and vector[frame].isdigit():
        return (int(vector[frame]) - int(vector[0])) * step[0]
    return None


def _unit_axes(angles: tuple[float, ...]) -> NDArray[np.float64] | None:
    """Unit vectors along a row and a column; None where they are not at right angles."""
    axes = np.reshape(angles, (2, 3))
    lengths = np.sqrt((axes * axes).sum(1, keepdims=True))
    if np.abs(lengths - 1).max() > BENT:
        return None
    axes = axes / lengths
    axes[1] -= axes[0] * (skew := float(axes[0] @ axes[1]))
    return axes / np.sqrt((axes * axes).sum(1, keepdims=True)) if abs(skew) < BENT else None


def _tell_oblong_pixels(dataset: Dataset) -> None:
    """Say that pixels are not square, where nothing tells their size."""
    high, wide = numbers(dataset, "PixelAspectRatio", 2) or (1.0, 1.0)
    if high != wide:
        text = f"its pixels are {high:g} high to {wide:g} wide, and it does not tell their size: shapes are squeezed."
        warnings.warn(text, ReadWarning, stacklevel=3)
