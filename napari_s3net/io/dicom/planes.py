"""One plane for each frame of a DICOM file: where it lies, how large its pixels are, and what its values mean."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from napari_s3net.errors import ReadError, ReadWarning, UnsupportedFormatError
from napari_s3net.io.dicom.header import Header, groups, items, numbers, words
from napari_s3net.io.values import UNSCALED, Scale

#: Modalities whose values have a unit of their own, and stay as they are where white is zero.
HAVE_UNITS = ("CT", "PT", "NM", "RTDOSE")
#: What values of CT are called that are Hounsfield units, modified or not, or of which nothing is said.
_HOUNSFIELD = {"HU", "HU_MOD", "US", ""}
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
    turned = _turned(header)
    coloured = has_colours(header)
    planes = []
    places = [_place(dataset, frame) for frame in range(header.frames)]
    if any(place is None for place in places):  # the first frame of a film may have a place, and the others none
        places = [None] * len(places)
    for frame, place in enumerate(places):
        own = _own_spacing(dataset, frame) if header.frames > 1 or "PixelSpacing" not in dataset else None
        scale = UNSCALED if coloured else _scale(dataset, frame)
        told = () if coloured else _scale_told(dataset, frame)
        planes.append(DicomPlane(header, frame, own or spacing, place, _thickness(dataset, frame), scale, turned, told))
    if not coloured:
        _tell_missing_scale(header)
    return planes


def has_colours(header: Header) -> bool:
    """Whether its pixels are colours, which have no scale of values, though a header may have kept that of its source.

    Parameters
    ----------
    header : Header
        Of a file that holds an image.

    Returns
    -------
    bool
        By the values a pixel, and whether they stand for the colours of a palette.
    """
    palette = words(header.dataset, "PhotometricInterpretation") == ["PALETTE COLOR"]
    return palette or (numbers(header.dataset, "SamplesPerPixel") or (1.0,))[0] > 1


def _element(dataset: Dataset, frame: int, sequence: str, keyword: str, n: int = 1) -> tuple[float, ...] | None:
    """Numbers that stand in a functional group of a frame, or in the file itself."""
    for group in groups(dataset, frame):
        for place in items(group, sequence)[:1] or ([dataset] if group is dataset else []):
            if found := numbers(place, keyword, n):
                return found
    return None


def _own_spacing(dataset: Dataset, frame: int) -> tuple[float, float] | None:
    """The spacing that a functional group tells of a frame."""
    found = _element(dataset, frame, "PixelMeasuresSequence", "PixelSpacing", 2)
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
        found = _element(dataset, frame, "PixelMeasuresSequence", keyword)
        if found and found[0] > 0:
            return found[0]
    return 1.0


def _place(dataset: Dataset, frame: int) -> Place | None:
    """Position and axes of a frame; None where no element tells one of them."""
    detector = next(iter(items(dataset, "DetectorInformationSequence")), dataset)
    position = _element(dataset, frame, "PlanePositionSequence", "ImagePositionPatient", 3)
    position = position or numbers(detector, "ImagePositionPatient", 3)
    angles = _element(dataset, frame, "PlaneOrientationSequence", "ImageOrientationPatient", 6)
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


def _scale(dataset: Dataset, frame: int) -> Scale:
    """Slope and intercept of a frame, or the scaling of a dose."""
    if dose := numbers(dataset, "DoseGridScaling"):
        return Scale(dose[0], 0.0)
    slope, intercept = (_told_of_values(dataset, frame, f"Rescale{what}") for what in ("Slope", "Intercept"))
    if slope == 0:
        warnings.warn("its slope is zero, which means nothing; it is taken for 1.", ReadWarning, stacklevel=3)
    return Scale(slope or 1.0, intercept or 0.0)


def _told_of_values(dataset: Dataset, frame: int, keyword: str) -> float | None:
    """Slope or intercept of a frame; None where there is none. One that cannot be understood is no 1 and no 0."""
    if found := _element(dataset, frame, "PixelValueTransformationSequence", keyword):
        return found[0]
    if any(words(dataset, keyword)):
        raise ReadError("its header is damaged: slope or intercept of its values is no number.")
    return None


def _scale_told(dataset: Dataset, frame: int) -> tuple[bool, ...]:
    """Whether slope and intercept of a frame are told."""
    group = "PixelValueTransformationSequence"
    return tuple(_element(dataset, frame, group, f"Rescale{what}") is not None for what in ("Slope", "Intercept"))


def _rescale_types(dataset: Dataset) -> set[str]:
    """What the values of the first frame are called."""
    places = [
        place
        for group in groups(dataset, 0)
        for place in (group, *items(group, "PixelValueTransformationSequence")[:1])
    ]
    return {kind for place in places for kind in words(place, "RescaleType")}


def _tell_missing_scale(header: Header) -> None:
    """Say that nothing makes Hounsfield units of the stored numbers of a CT."""
    told = _scale_told(header.dataset, 0)
    if header.modality == "CT" and not _rescale_types(header.dataset) <= _HOUNSFIELD:
        text = "its header says that its values are no Hounsfield units (RescaleType)."
        warnings.warn(text, ReadWarning, stacklevel=3)
    missing = " and ".join(
        f"no {what}" for what, is_told in zip(("slope", "intercept"), told, strict=True) if not is_told
    )
    if header.modality == "CT" and missing and not items(header.dataset, "ModalityLUTSequence"):
        text = f"its header tells {missing}: its values may not be Hounsfield units."
        warnings.warn(text, ReadWarning, stacklevel=3)


def _tell_oblong_pixels(dataset: Dataset) -> None:
    """Say that pixels are not square, where nothing tells their size."""
    high, wide = numbers(dataset, "PixelAspectRatio", 2) or (1.0, 1.0)
    if high != wide:
        text = f"its pixels are {high:g} high to {wide:g} wide, and it does not tell their size: shapes are squeezed."
        warnings.warn(text, ReadWarning, stacklevel=3)


def _turned(header: Header) -> bool:
    """Whether white is zero and the values have no unit, so that they can be turned."""
    if words(header.dataset, "PhotometricInterpretation") != ["MONOCHROME1"]:
        return False
    has_units = header.modality in HAVE_UNITS or _scale(header.dataset, 0) != UNSCALED
    text = (
        "white is zero (MONOCHROME1); its values have a unit and are left as they are, so that it is shown reversed."
        if has_units
        else "white is zero (MONOCHROME1); its values are turned, so that bright is high, as it is meant to be shown."
    )
    warnings.warn(text, ReadWarning, stacklevel=3)
    return not has_units


def stored_range(header: Header) -> tuple[int, int]:
    """Return the range of the stored numbers, from how many bits are used and whether they are signed.

    Parameters
    ----------
    header : Header
        Of a file that holds an image.

    Returns
    -------
    low, high : int
        The least and the largest number that the stored bits can hold.

    Raises
    ------
    ReadError
        If no bits are stored, by the header.
    """
    bits = int(min(next(iter(numbers(header.dataset, "BitsStored") or ()), header.bits), header.bits))
    if bits < 1:
        raise ReadError(f"its header is damaged: of the {header.bits} bits of each value it stores {bits}.")
    signed = words(header.dataset, "PixelRepresentation") == ["1"]
    return (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
