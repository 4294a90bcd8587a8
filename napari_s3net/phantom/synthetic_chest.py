"""Synthetic slices of chest CT with the mask of the lungs, drawn as widely at random as patients differ: to learn from.

`chest_ct` draws one careful anatomy at one level for samples and docs; here it is the breadth that counts: every level
from the neck to the belly, every depth of breath, and the illnesses that change what lung looks like.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_s3net.phantom.chest_lungs import draw_lungs, paint_lungs
from napari_s3net.phantom.chest_organs import paint_airways, paint_bowel, paint_organs
from napari_s3net.phantom.chest_patient import Patient
from napari_s3net.phantom.chest_record import ChestRecord, draw_chest_record
from napari_s3net.phantom.chest_wall import paint_body, paint_skeleton
from napari_s3net.phantom.paint import Field, scanner_noise
from napari_s3net.phantom.plane import PaintedPlane, blur
from napari_s3net.phantom.shrink import FINER, shrunk_field, shrunk_mask, shrunk_parts


@dataclass(frozen=True, eq=False)
class SyntheticChest:
    """A synthetic slice with its truth.

    Attributes
    ----------
    array : numpy.ndarray
        (S, S) int16, Hounsfield units.
    mask : numpy.ndarray
        (S, S) bool: the lungs with their vessels, without windpipe, fluid and large masses; may be empty.
    parts : numpy.ndarray
        (S, S) uint8: what is seen in each pixel, an index into `chest_patient.CHEST_PARTS`.
    record : ChestRecord
        What was drawn.
    """

    array: NDArray[np.int16]
    mask: NDArray[np.bool_]
    parts: NDArray[np.uint8]
    record: ChestRecord


def synthetic_chest(seed: int, size: int = 128) -> SyntheticChest:
    """Draw a synthetic slice of a chest CT.

    Parameters
    ----------
    seed : int
        The same seed gives the same slice; another seed, another patient, level and scanner.
    size : int
        Pixels along each side, S.

    Returns
    -------
    SyntheticChest
        The slice in Hounsfield units, its mask and its parts, all (S, S).
    """
    record = draw_chest_record(seed)
    patient = Patient(PaintedPlane(np.random.default_rng([seed, 3]), round(size * FINER)), record)
    _paint_table(patient)
    body, cavity = paint_body(patient)
    lungs, medial = draw_lungs(patient, cavity)
    paint_skeleton(patient, cavity, body)
    paint_organs(patient, cavity, body)
    mask = paint_lungs(patient, lungs, medial)
    mask &= ~paint_airways(patient)
    paint_bowel(patient, lungs, cavity)
    _paint_metal(patient)
    array = shrunk_field(_scan(patient), size)
    return SyntheticChest(array, shrunk_mask(mask, size), shrunk_parts(patient.parts, size), record)


def _paint_table(patient: Patient) -> None:
    """Flat and curved plates below the patient, which stay there however the patient lies."""
    rng, r = patient.rng, patient.record
    if not r.table:
        return
    top = r.half_depth * rng.uniform(0.96, 1.06)
    y, x = patient.room_y, patient.room_x
    wide = rng.uniform(0.5, 1.1)
    patient.paint(np.minimum(np.minimum(y - top, top + rng.uniform(0.02, 0.12) - y), wide - np.abs(x)),
                  rng.uniform(-990, -850), "table")  # fmt: skip
    for _ in range(int(rng.integers(1, 5))):
        depth, thick = top + rng.uniform(0.0, 0.3), rng.uniform(0.003, 0.02)
        curve = rng.choice((0.0, 1.0)) * rng.uniform(-0.35, 0.35)
        plate = thick - np.abs(y - depth - curve * np.square(x) - 0.02 * rng.uniform())
        patient.paint(np.minimum(plate, wide - np.abs(x)), rng.uniform(-600, 400), "table", 0.004)


def _paint_metal(patient: Patient) -> None:
    """Wires and clips, each with dark and bright streaks."""
    rng = patient.rng
    for _ in range(patient.record.metal):
        cy, cx = rng.uniform(-0.4, 0.4, 2)
        patient.paint(patient.oval(cy, cx, rng.uniform(0.006, 0.02), rng.uniform(0.006, 0.03)), 2500, "bone", 0.004)
        theta = np.arctan2(patient.v - cy, patient.u - cx)
        near = np.exp(-np.hypot(patient.v - cy, patient.u - cx) / 0.15)
        patient.hu += rng.uniform(50, 300) * near * np.cos(theta * rng.integers(2, 9) + rng.uniform(0, 6))


def _scan(patient: Patient) -> Field:
    """What the scanner makes of it: kernel, noise, streaks, the round field of view."""
    rng, r, plane = patient.rng, patient.record, patient.plane
    hu = blur(patient.hu, r.blur * FINER)
    if r.sharpening:
        hu = hu + r.sharpening * (hu - blur(hu, 1.2))
    noise = scanner_noise(rng, hu.shape, rng.uniform(0.15, 0.4))
    thick = 0.5 + ndimage.gaussian_filter(np.clip(hu + 1000, 0, 1500) / 1000, 0.08 * plane.size)
    hu = hu + r.noise * noise * thick
    if r.level < 0.2 and rng.random() < 0.5:  # streaks between the shoulders
        rows = rng.standard_normal((plane.size, 1), dtype=np.float32)
        hu = hu + rng.uniform(10, 60) * rows * np.clip(hu + 1000, 0, 1000) / 1000
    if rng.random() < 0.4:
        hu[np.hypot(plane.y, plane.x) > rng.uniform(0.97, 1.02)] = rng.choice((-1024, -1000, -2000))
    return hu
