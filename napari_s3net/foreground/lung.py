"""The lungs in CT: air inside the body, by its Hounsfield units and its size in millimetres.

Where these leave a doubt, as of an emphysematous lung that is as light as gas, a taught network is asked.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.segmentation import clear_border

from napari_s3net.foreground.morphology import dilate_mask, erode_mask, open_mask
from napari_s3net.foreground.proposal import Proposal, certainty_word, expected_dice
from napari_s3net.preprocessing.millimetres import above_area, disc_footprint, pixel_spacing, spacing_note
from napari_s3net.preprocessing.prepare import PreparedPlane


@dataclass(frozen=True)
class LungConstants:
    """What tells lungs from other air. Chosen on the 45 development slices on which the Dice is reported as well.

    Those slices have no spacing; lengths and areas are those of `TYPICAL_SPACING`.

    Parameters
    ----------
    lung_below, deep_below, rim_below : float
        HU: below the first CT shows lung or gas; a lung has pixels below the second in its inside, and its rim, half
        way to the tissue beside it, reaches up to the third.
    gas_below : float
        HU of pure gas, as in windpipe, stomach and bowel, and in the room.
    gas_share : float
        A component whose inside is gas to a larger share is no lung.
    foam_below : float
        HU: a component at the image's border is a lung that is cut only if its median lies above. Foam in the table
        lies between −870 and −940.
    bone_above : float
        HU above which CT shows bone.
    mixed : float
        mm, how deep voxels at the border of air hold tissue as well.
    thinnest : float
        mm: nothing thinner is the inside of a lung.
    rim : float
        mm, how far the rim of a lung reaches around air, at least one pixel.
    reach : float
        mm, how far a lung reaches around its inside.
    vessel_gap : float
        mm, half the width of gaps that vessels leave in a lung.
    smallest, smallest_deep : float
        mm²: smaller components are no lung, nor are those with a smaller inside.
    largest_vessel : float
        mm²: a smaller hole in a lung is a vessel, a larger one the heart or the dome of the liver.
    small : float
        mm²: a smaller component is lung only when bone is near: pleura lies at ribs and spine, bowel in fat.
    rib_distance : float
        mm, how wide the gap between them is at most.
    seen : float
        Mean probability that a taught network gives a component which is lung although it is gas to a larger share, or
        no bone is near. Gas in the room, stomach and windpipe gets less than 0.1, lungs in their middle above 0.9.
    smallest_seen : float
        mm²: of smaller components the network, which sees some 3 mm a pixel, is not asked.
    """

    lung_below: float = -320.0
    deep_below: float = -400.0
    rim_below: float = -250.0
    gas_below: float = -950.0
    gas_share: float = 0.35
    foam_below: float = -860.0
    bone_above: float = 150.0
    mixed: float = 1.5
    thinnest: float = 3.75
    rim: float = 0.75
    reach: float = 3.0
    vessel_gap: float = 2.25
    smallest: float = 88.0
    smallest_deep: float = 59.0
    largest_vessel: float = 221.0
    small: float = 2950.0
    rib_distance: float = 3.1
    seen: float = 0.3
    smallest_seen: float = 600.0


LUNG = LungConstants()


def propose_lung(plane: PreparedPlane, views: NDArray[np.float32] | None = None) -> Proposal:
    """Propose the lungs of a CT slice from its Hounsfield units and spacing.

    Parameters
    ----------
    plane : PreparedPlane
        Its image holds Hounsfield units (H, W), and the spacing in mm where it is known.
    views : numpy.ndarray, optional
        (n, h, w): the probability of lung that taught networks gave.

    Returns
    -------
    Proposal
        At the image's size (H, W): probability 1 in the lungs and 0 outside. The confidence is the Dice that the
        networks expect, or 1 where none was asked; 0 where no lung was found. The note says so where a spacing was
        assumed.
    """
    seen = None if views is None else _at_size(views.mean(axis=0), plane.image.array.shape)
    mask = find_lung(plane.image.array, pixel_spacing(plane.image), seen)
    proposal = Proposal(mask.astype(np.float32), ("Lung", "Other"), float(mask.any()), spacing_note(plane.image))
    if seen is None or not mask.any():
        return proposal
    confidence = expected_dice(seen, mask)
    return replace(proposal, confidence=confidence, certainty=certainty_word(confidence))


def find_lung(
    hu: NDArray[np.floating], spacing: tuple[float, float], seen: NDArray[np.floating] | None = None
) -> NDArray[np.bool_]:
    """Air inside the body, and not the pure gas of room, windpipe or bowel.

    Thin slivers where lung and diaphragm share a voxel are left out: lung is what lies around a deep inside.

    Parameters
    ----------
    hu : numpy.ndarray
        (H, W) Hounsfield units.
    spacing : tuple of float
        Height and width of a pixel in mm.
    seen : numpy.ndarray, optional
        (H, W): the probability of lung that a taught network gave, which counts where Hounsfield units leave a doubt.

    Returns
    -------
    numpy.ndarray
        (H, W) bool.
    """
    seen = np.zeros(hu.shape, np.float32) if seen is None else seen
    air = _without_foam(_without_gas(hu < LUNG.lung_below, hu, spacing, seen), hu)
    deep = above_area(deep_inside(air, hu, spacing), LUNG.smallest_deep, spacing)
    return _near_ribs(lung_around(deep, air, hu, spacing), hu, spacing, seen)


def deep_inside(air: NDArray[np.bool_], hu: NDArray[np.floating], spacing: tuple[float, float]) -> NDArray[np.bool_]:
    """Where air is deep enough for the inside of a lung, without anything thinner than `LUNG.thinnest`.

    Parameters
    ----------
    air : numpy.ndarray
        (H, W) bool.
    hu : numpy.ndarray
        (H, W) Hounsfield units.
    spacing : tuple of float
        Height and width of a pixel in mm.

    Returns
    -------
    numpy.ndarray
        (H, W) bool.
    """
    return open_mask(air & (hu < LUNG.deep_below), disc_footprint((LUNG.thinnest - max(spacing)) / 2, spacing))


def lung_around(
    deep: NDArray[np.bool_], air: NDArray[np.bool_], hu: NDArray[np.floating], spacing: tuple[float, float]
) -> NDArray[np.bool_]:
    """Draw the lung around its inside: air within reach, its rim, and the vessels in it.

    Parameters
    ----------
    deep : numpy.ndarray
        (H, W) bool, the inside.
    air : numpy.ndarray
        (H, W) bool: what may be lung.
    hu : numpy.ndarray
        (H, W) Hounsfield units.
    spacing : tuple of float
        Height and width of a pixel in mm.

    Returns
    -------
    numpy.ndarray
        (H, W) bool.
    """
    rim = dilate_mask(air, disc_footprint(LUNG.rim, spacing, at_least_one_pixel=True)) & (hu < LUNG.rim_below)
    lung = dilate_mask(deep, disc_footprint(LUNG.reach, spacing)) & (air | rim)
    return _without_vessels(lung, spacing)


def _at_size(small: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """A map (h, w) at another size, each pixel the nearest."""
    rows, columns = (np.arange(wide) * n // wide for wide, n in zip(shape, small.shape, strict=True))
    return small[np.ix_(rows, columns)]


def _without_gas(
    air: NDArray[np.bool_], hu: NDArray[np.floating], spacing: tuple[float, float], seen: NDArray[np.floating]
) -> NDArray[np.bool_]:
    """Drop the components that are tiny, and those with gas in their inside that the network does not take for lung.

    Voxels that are mixed with tissue say nothing of gas.
    """
    components, n = ndimage.label(air)
    inside = erode_mask(air, disc_footprint(LUNG.mixed, spacing))
    sizes, insides, gas = (
        np.bincount(components[where], minlength=n + 1) for where in (air, inside, inside & (hu < LUNG.gas_below))
    )
    large = sizes * spacing[0] * spacing[1] > LUNG.smallest
    no_gas = (gas <= LUNG.gas_share * insides) | _seen_as_lung(seen, components, spacing)
    return np.asarray((large & no_gas)[components] & air)


def _seen_as_lung(
    seen: NDArray[np.floating], components: NDArray[np.integer], spacing: tuple[float, float]
) -> NDArray[np.bool_]:
    """Which components, from 0, are large enough for the network and lung to it."""
    sizes, sums = np.bincount(components.ravel()), np.bincount(components.ravel(), seen.ravel())
    return (sizes * spacing[0] * spacing[1] >= LUNG.smallest_seen) & (sums > LUNG.seen * sizes)


def _without_foam(air: NDArray[np.bool_], hu: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Drop the components at the image's border that are as light as foam."""
    components, n = ndimage.label(air)
    frame = np.concatenate([components[[0, -1]].ravel(), components[:, [0, -1]].ravel()])
    at_border = np.setdiff1d(frame, [0])
    is_foam = np.zeros(n + 1, bool)
    is_foam[at_border] = medians(hu, components, at_border) < LUNG.foam_below
    return air & ~is_foam[components]


def medians(
    hu: NDArray[np.floating], components: NDArray[np.integer], wanted: NDArray[np.integer]
) -> NDArray[np.float64]:
    """Compute the medians of a few components; scipy sorts all pixels for that, a third of the time of a slice.

    Parameters
    ----------
    hu : numpy.ndarray
        (H, W) Hounsfield units.
    components : numpy.ndarray
        (H, W), from 1.
    wanted : numpy.ndarray
        (m,), which components; each has at least one pixel.

    Returns
    -------
    numpy.ndarray
        (m,), as `scipy.ndimage.median` gives them.
    """
    among = np.isin(components, wanted)
    values, numbers = hu[among], components[among]
    return np.array([np.median(values[numbers == number]) for number in wanted], np.float64)


def _without_vessels(lung: NDArray[np.bool_], spacing: tuple[float, float]) -> NDArray[np.bool_]:
    """Close the gaps and fill the holes that vessels leave."""
    gap = disc_footprint(LUNG.vessel_gap, spacing)
    y, x = (n // 2 + 1 for n in gap.shape)
    closed = erode_mask(dilate_mask(np.pad(lung, ((y, y), (x, x))), gap), gap)[y:-y, x:-x]
    return np.asarray(closed | ~(closed | above_area(~closed, LUNG.largest_vessel, spacing)))


def _near_ribs(
    lung: NDArray[np.bool_], hu: NDArray[np.floating], spacing: tuple[float, float], seen: NDArray[np.floating]
) -> NDArray[np.bool_]:
    """Drop small components with no bone beside them, where bone is to be seen and the network sees no lung."""
    bone = open_mask(hu > LUNG.bone_above, disc_footprint(LUNG.rim, spacing, at_least_one_pixel=True))
    if not bone.any():
        return lung
    small = clear_border(lung & ~above_area(lung, LUNG.small, spacing))  # how large a cut one is nobody knows
    components, n = ndimage.label(small, np.ones((3, 3)))
    to_bone = ndimage.distance_transform_edt(~bone, sampling=spacing)
    nearest_bone = np.asarray(ndimage.minimum(to_bone, components, np.arange(n + 1)))
    nearest_bone[0] = 0
    stays = (nearest_bone - max(spacing) <= LUNG.rib_distance) | _seen_as_lung(seen, components, spacing)
    return np.asarray(lung & stays[components])
