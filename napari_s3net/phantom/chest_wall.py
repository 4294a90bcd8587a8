"""What is around the chest's cavity of a synthetic patient: skin, fat and muscle, arms and bones."""

from __future__ import annotations

import numpy as np

from napari_s3net.phantom.anatomy import FAT, MUSCLE
from napari_s3net.phantom.chest_patient import Patient
from napari_s3net.phantom.paint import Field


def paint_body(patient: Patient) -> tuple[Field, Field]:
    """Paint skin, fat and muscle, and the arms.

    Parameters
    ----------
    patient : Patient
        Who is painted.

    Returns
    -------
    body, cavity : numpy.ndarray
        (n, n), positive inside the trunk, and inside the chest's cavity.
    """
    rng, r = patient.rng, patient.record
    body, arms = _trunk(patient), _arms(patient)
    for shape in (body, *arms):
        shape += 0.006 * patient.plane.cloud(6)
        patient.paint(shape, patient.tissue(30), "soft tissue")
        patient.paint(shape - 0.01, patient.tissue(FAT, 12), "soft tissue")
        patient.paint(shape - r.fat, patient.tissue(MUSCLE, 10), "soft tissue", 0.02)
    for arm in arms:
        patient.paint(arm - 0.09, 700, "bone")
        patient.paint(arm - 0.11, 200, "bone")
    strands = np.abs(patient.plane.fractal(14, 3)) < rng.uniform(0.05, 0.25)
    patient.hu[(body > r.fat) & strands] = FAT + 20
    (ry, rx), margin = patient.trunk_axes, r.fat + r.wall
    cavity = patient.oval(0.02, 0, max(ry - margin, 0.1), max(rx - margin - 0.03, 0.1), rng.uniform(2.0, 2.8))
    return body, cavity


def _trunk(patient: Patient) -> Field:
    """The body without its arms: with breasts, and shoulders near the neck."""
    rng, r = patient.rng, patient.record
    ry, rx = patient.trunk_axes
    trunk = patient.oval(0, 0, ry, rx, r.squareness)
    if r.breasts and 0.15 < r.level < 0.9:
        for side in (-1, 1):
            height = r.breasts * rng.uniform(0.8, 1.2)
            trunk = np.maximum(trunk, patient.oval(-0.75 * ry, side * 0.5 * rx, 0.5 * ry * (0.5 + height), 0.42 * rx))
    if r.level < 0.25:
        for side in (-1, 1):
            trunk = np.maximum(trunk, patient.oval(0.15, side * 0.85 * rx, 0.55 * ry, 0.4 * rx))
    return trunk


def _arms(patient: Patient) -> list[Field]:
    """Arms beside the body, where they do not lie above the head."""
    if not patient.record.arms:
        return []
    _, rx = patient.trunk_axes
    beside = (patient.rng.uniform((-0.1, 0.12), (0.3, 0.2)) for _ in range(2))
    return [patient.oval(y, side * (rx + x), 0.13, 0.12) for side, (y, x) in zip((-1, 1), beside, strict=True)]


def paint_skeleton(patient: Patient, cavity: Field, body: Field) -> None:
    """Paint ribs, the arch of the spine, breastbone, blades and collarbones.

    Parameters
    ----------
    patient : Patient
        Who is painted.
    cavity, body : numpy.ndarray
        (n, n), positive inside.
    """
    rng, level = patient.rng, patient.record.level
    ry, within = patient.record.half_depth, body - 0.02
    _paint_ribs(patient, cavity, within)
    arch = 0.025 - np.abs(patient.oval(0.75 * ry, 0, 0.12, 0.13))
    patient.paint(np.minimum(np.minimum(arch, patient.v - 0.7 * ry), body - 0.03), 500, "bone")
    if level < 0.75:
        patient.paint(patient.oval(-0.85 * ry, 0, 0.03, rng.uniform(0.05, 0.12)), rng.uniform(150, 400), "bone")
    if level < 0.45:
        for side in (-1, 1):
            _paint_shoulder(patient, side, within)


def _paint_ribs(patient: Patient, cavity: Field, within: Field) -> None:
    """Ribs that are cut slantwise around the cavity."""
    rng, theta = patient.rng, np.arctan2(patient.v, patient.u)
    for _ in range(int(rng.integers(6, 15))):
        middle, long = rng.uniform(-np.pi, np.pi), rng.uniform(0.08, 0.3)
        turn = np.angle(np.exp(1j * (theta - middle)))
        ring = rng.uniform(0.014, 0.024) - np.abs(cavity + rng.uniform(0.02, 0.05) + turn * rng.normal(0, 0.06))
        rib = np.minimum(np.minimum(ring, within), (long - np.abs(turn)) * 0.3)
        patient.paint(rib, rng.uniform(250, 800), "bone", 0.006)
        patient.paint(rib - 0.01, rng.uniform(80, 300), "bone", 0.006)


def _paint_shoulder(patient: Patient, side: int, within: Field) -> None:
    """A shoulder blade and, high up, a collarbone."""
    rng, ry, rx = patient.rng, patient.record.half_depth, patient.record.half_width
    place = (rng.uniform(0.3, 0.8) * ry, side * rng.uniform(0.6, 0.85) * rx)
    blade = patient.stick(place, side * rng.uniform(0.3, 1.2), rng.uniform(0.1, 0.25), 0.018)
    patient.paint(np.minimum(blade, within), rng.uniform(300, 900), "bone")
    if patient.record.level < 0.2:
        collar = patient.stick((-0.5 * ry, side * 0.35 * rx), side * 0.3, 0.2, 0.025)
        patient.paint(np.minimum(collar, within), 700, "bone")
