"""The other organs of a synthetic chest: spine, heart, vessels, what rises from the belly, and gas that is no lung."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_s3net.phantom.anatomy import FAT, MUSCLE
from napari_s3net.phantom.chest_patient import Patient
from napari_s3net.phantom.paint import Field


def spine(patient: Patient) -> Field:
    """Draw the muscles and bones at the back, between the lungs.

    Parameters
    ----------
    patient : Patient
        Who is drawn.

    Returns
    -------
    numpy.ndarray
        (n, n), positive inside.
    """
    ry, rx = patient.cavity_axes
    return patient.oval(0.85 * ry, 0, 0.42 * ry, 0.3 * rx)


def heart(patient: Patient) -> Field:
    """Draw the heart and the great vessels: wide below, narrow above.

    Parameters
    ----------
    patient : Patient
        Who is drawn.

    Returns
    -------
    numpy.ndarray
        (n, n), positive inside.
    """
    r, (ry, rx) = patient.record, patient.cavity_axes
    size = r.heart * np.clip((r.level - 0.2) / 0.35, 0.45, 1.0)
    return patient.oval(-0.25 * ry, 0.14 * rx * size, 0.55 * ry * size, 0.42 * rx * size, 2.2)


def diaphragm(patient: Patient, side: int) -> Field:
    """Draw what rises from below into a lung: the dome of liver or stomach, the more of it the lower the slice.

    Parameters
    ----------
    patient : Patient
        Who is drawn; a dome is a little different each time it is drawn.
    side : int
        −1 or 1.

    Returns
    -------
    numpy.ndarray
        (n, n), positive inside.
    """
    rng, level, (ry, rx) = patient.rng, patient.record.level, patient.cavity_axes
    start = 0.62 if side < 0 else 0.7
    risen = (level + rng.normal(0, 0.06) - start) / (1 - start)
    if risen <= 0:
        return np.full(patient.u.shape, -1.0, np.float32)
    cover = 0.25 + 0.78 * min(risen, 1.0) ** 0.7
    forward = 0.05 + rng.uniform(0, 0.25) * min(risen, 1.0)  # the deepest lung lies at the back
    cy, cx = -forward * ry + rng.normal(0, 0.03), side * 0.48 * rx
    dome = patient.oval(cy, cx, 1.02 * ry * cover, 0.58 * rx * cover, 2.3)
    # Whatever lies between the dome and the middle belongs to the belly too.
    between = np.minimum(0.3 + cover * 0.5 - np.abs(patient.v / ry + 0.05), 0.48 * rx - side * patient.u)
    return np.maximum(dome, between * 0.5 * rx) if risen > 0.6 else dome


def paint_organs(patient: Patient, cavity: Field, body: Field) -> None:
    """Paint what fills the cavity apart from lung: fat, spine, heart, vessels, liver, spleen, stomach.

    Parameters
    ----------
    patient : Patient
        Who is painted.
    cavity, body : numpy.ndarray
        (n, n), positive inside.
    """
    rng, r = patient.rng, patient.record
    patient.paint(cavity, patient.tissue(FAT if r.level < 0.75 else rng.choice((FAT, 50)), 15), "soft tissue")
    _paint_spine(patient, body)
    if r.level > 0.1:
        _paint_heart(patient)
    if r.level > 0.55:
        for side, value in ((-1, 60 + 0.3 * r.contrast), (1, rng.uniform(0, 90))):
            dome = np.minimum(diaphragm(patient, side), cavity)
            patient.paint(dome, patient.tissue(value), "soft tissue")


def _paint_spine(patient: Patient, body: Field) -> None:
    """Muscles, a vertebra and its canal."""
    ry, rx = patient.cavity_axes
    muscles = np.minimum(spine(patient), body - patient.record.fat)
    patient.paint(muscles - 0.01, patient.tissue(MUSCLE), "soft tissue")
    vertebra = np.minimum(patient.oval(0.78 * ry, 0, 0.2 * ry, 0.16 * rx), muscles)
    patient.paint(vertebra, patient.rng.uniform(120, 400), "bone")
    patient.paint(patient.oval(0.98 * ry, 0, 0.07 * ry, 0.06 * rx), 30, "soft tissue")


def _paint_heart(patient: Patient) -> None:
    """The heart, vessels around it, and the aorta."""
    rng, r, (ry, rx) = patient.rng, patient.record, patient.cavity_axes
    blood = 45 + r.contrast
    muscle = heart(patient) if r.level < 0.98 else patient.oval(0, 0, 0.01, 0.01)
    patient.paint(muscle, patient.tissue(50 + 0.6 * r.contrast, 0.1 * r.contrast + 10), "soft tissue")
    for _ in range(int(rng.integers(2, 6))):
        place = rng.normal((-0.1, 0.0), (0.12, 0.12))
        vessel = patient.oval(place[0], place[1], rng.uniform(0.02, 0.08), rng.uniform(0.02, 0.08))
        patient.paint(vessel, blood + rng.normal(0, 20), "soft tissue")
    patient.paint(patient.oval(0.5 * ry, 0.15 * rx, 0.06, 0.06), blood, "soft tissue")


def paint_airways(patient: Patient) -> NDArray[np.bool_]:
    """Paint the windpipe or its two branches, with their wall, and at times air in the gullet; none of it is lung.

    Parameters
    ----------
    patient : Patient
        Who is painted.

    Returns
    -------
    numpy.ndarray
        (n, n) bool, true within them and their walls.
    """
    rng = patient.rng
    where = np.zeros(patient.hu.shape, bool)
    for cy, cx, radius in _airway_places(patient):
        tube = patient.oval(cy, cx, radius * rng.uniform(0.8, 1.3), radius * rng.uniform(0.8, 1.3))
        patient.paint(tube + 0.012, rng.uniform(10, 80), "soft tissue")
        patient.paint(tube, rng.uniform(-1000, -940), "gas", 0.006)
        where |= tube >= -0.012
    return where


def _airway_places(patient: Patient) -> list[tuple[float, float, float]]:
    """Middle and radius of each."""
    rng, level = patient.rng, patient.record.level
    places: list[tuple[float, float, float]] = []
    if level < 0.45:
        places.append((rng.uniform(-0.1, 0.15), rng.normal(0, 0.025), rng.uniform(0.03, 0.055)))
    elif level < 0.62:
        branches = rng.uniform((0.0, 0.05, 0.018), (0.15, 0.2, 0.045), (2, 3)).tolist()
        places += [(y, side * x, radius) for side, (y, x, radius) in zip((-1, 1), branches, strict=True)]
    if level < 0.9 and rng.random() < 0.25:
        places.append((rng.uniform(0.2, 0.3), rng.normal(0.03, 0.02), rng.uniform(0.008, 0.03)))
    return places


def paint_bowel(patient: Patient, lungs: list[Field], cavity: Field) -> None:
    """Paint pockets of gas in stomach and bowel, flat above the fluid they lie on.

    Parameters
    ----------
    patient : Patient
        Who is painted.
    lungs : list of numpy.ndarray
        Fields (n, n) that gas keeps away from.
    cavity : numpy.ndarray
        (n, n), the field that it lies in.
    """
    rng, r = patient.rng, patient.record
    if r.level < 0.68:
        return
    keep = np.minimum(cavity, -np.max(lungs, axis=0) - 0.02) if lungs else cavity
    for _ in range(r.bowel):
        cy, cx = rng.uniform(-0.35, 0.15), rng.uniform(-0.25, 0.45)
        pocket = patient.oval(cy, cx, rng.uniform(0.02, 0.16), rng.uniform(0.02, 0.2)) + 0.01 * patient.plane.cloud(10)
        pocket = np.minimum(pocket, keep)
        patient.paint(pocket + 0.012, rng.uniform(0, 70), "soft tissue")
        gas = np.minimum(pocket, (cy + rng.uniform(-0.05, 0.2)) - patient.v)
        content = rng.choice((-1000.0, -980.0, rng.uniform(-900, -400)), p=(0.5, 0.3, 0.2))
        patient.paint(gas, content + 30 * patient.plane.cloud(20), "gas", 0.006)
