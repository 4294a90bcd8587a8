"""The lungs of a synthetic patient: where they lie between the other organs, their vessels, and what ails them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from napari_s3net.phantom.anatomy import AIR
from napari_s3net.phantom.chest_organs import diaphragm, heart, spine
from napari_s3net.phantom.chest_patient import CHEST_PARTS, Patient
from napari_s3net.phantom.paint import Field
from napari_s3net.phantom.plane import bent_line


def draw_lungs(patient: Patient, cavity: Field) -> tuple[list[Field], float]:
    """Draw where the lungs lie.

    Parameters
    ----------
    patient : Patient
        Who is drawn.
    cavity : numpy.ndarray
        (n, n), positive inside the chest's cavity.

    Returns
    -------
    lungs : list of numpy.ndarray
        (n, n) each, positive inside; none above and below the chest, seldom a single one.
    medial : float
        How far from the middle they begin.
    """
    if not patient.record.has_object:
        return [], 0.1
    medial = patient.rng.uniform(0.08, 0.16) + (0.08 if patient.record.level < 0.15 else 0.0)
    lungs = [_draw_lung(patient, cavity, side, medial) for side in (-1, 1)]
    return [lung for lung in lungs if lung is not None], medial


def _draw_lung(patient: Patient, cavity: Field, side: int, medial: float) -> Field | None:
    """One lung, less what lies in its way; None where it was taken out."""
    lung = _lung_outline(patient, cavity, side, medial)
    for neighbour in _neighbours(patient, side, medial):
        lung = np.minimum(lung, -neighbour)
    if patient.rng.random() < 0.015:
        return None
    return lung + 0.004 * patient.plane.fractal(8, 3)


def _lung_outline(patient: Patient, cavity: Field, side: int, medial: float) -> Field:
    """Half of the cavity; towards the tip an oval within it, which is small and lies behind."""
    r, (ry, rx) = patient.record, patient.cavity_axes
    apex = min(1.0, 0.35 + r.level / 0.35 * 0.65)
    bend = patient.rng.uniform(-0.1, 0.12)
    if apex >= 1:
        inner = side * patient.u - medial - 0.5 * np.square(patient.v / ry) * bend * rx
        half = np.minimum(inner, side * patient.u - 0.6 * medial)
    else:
        size = apex * (1 + side * r.asymmetry * 0.5)
        place = 0.1 * (1 - apex), side * (0.5 * rx + 0.02)
        half = patient.oval(*place, ry * size, (0.5 * rx - 0.01) * size * 1.05, 2.4)
    outline: Field = np.minimum(half, cavity - 0.003)
    return outline


def _neighbours(patient: Patient, side: int, medial: float) -> Iterator[Field]:
    """What a lung gives way to."""
    rng, r, (ry, _) = patient.rng, patient.record, patient.cavity_axes
    yield spine(patient)
    yield diaphragm(patient, side)
    if 0.3 < r.level < 0.95:
        yield heart(patient)
    if 0.3 < r.level < 0.7:  # the notch where vessels and bronchi enter
        notch = patient.oval(rng.uniform(-0.05, 0.15), side * (medial + 0.02), rng.uniform(0.04, 0.14), 0.1)
        yield notch + 0.015 * patient.plane.fractal(10, 3)
    if r.effusion and rng.random() < 0.7:  # fluid behind it
        yield patient.v - (ry * (0.95 - r.effusion * 2) + 0.1 * np.square(patient.u))


def paint_lungs(patient: Patient, lungs: list[Field], medial: float) -> NDArray[np.bool_]:
    """Paint both lungs with vessels and what ails them.

    Parameters
    ----------
    patient : Patient
        Who is painted.
    lungs : list of numpy.ndarray
        (n, n) each, as `draw_lungs` gives them.
    medial : float
        How far from the middle they begin.

    Returns
    -------
    numpy.ndarray
        (n, n) bool: their mask, without large masses.
    """
    if not lungs:
        return np.zeros(patient.hu.shape, bool)
    rng, r, plane = patient.rng, patient.record, patient.plane
    field = lungs[0] if len(lungs) == 1 else np.maximum(*lungs)
    value, dense = _lung_tissue(patient)
    value += (rng.uniform(0, 80) - value) * np.maximum(_lung_vessels(patient, medial), 0)
    nodules = plane.dots(r.nodules, (0.8, 0.03 * plane.size), field)
    value += (rng.uniform(-100, 60) - value) * nodules
    patient.paint(field, np.maximum(value, AIR), "lung", 0.006)
    patient.parts[(field > 0) & dense] = CHEST_PARTS.index("dense lung")
    return (field > 0) & ~_paint_tumours(patient, field)


def _lung_tissue(patient: Patient) -> tuple[Field, NDArray[np.bool_]]:
    """Hounsfield units of healthy and of ill lung all over the plane, and where it would be filled."""
    rng, r, plane = patient.rng, patient.record, patient.plane
    value: Field = r.lung + 15 * plane.fractal(10, 3) + r.gradient * np.clip(patient.v / r.half_depth, -1, 1)
    if r.emphysema:
        value += (rng.uniform(-990, -945) - value) * plane.blobs(r.emphysema, rng.uniform(3, 25), 0.4)
    if r.haze:
        value += rng.uniform(100, 400) * plane.blobs(r.haze, rng.uniform(2, 10), 0.8)
    if not r.consolidation:
        return value, np.zeros(value.shape, bool)
    filled = plane.blobs(r.consolidation, rng.uniform(2, 8), 0.3)
    return value + (rng.uniform(-100, 60) - value) * filled, filled > 0.5


def _lung_vessels(patient: Patient, medial: float) -> Field:
    """Vessels that fan out from the middle, and the many that are cut across; cover in [0, 1]."""
    rng, plane, zoom = patient.rng, patient.plane, patient.record.zoom
    unit = plane.size / 2 * zoom
    lines, widths = [], []
    middle = plane.pixels(np.array([patient.record.shift]))[0]
    for _ in range(int(rng.integers(15, 60))):
        side = rng.choice((-1, 1))
        reach, angle = rng.exponential(0.12), rng.uniform(-1.5, 1.5)
        way = np.array([np.sin(angle), side * np.cos(angle)])
        start = middle + unit * (np.array([0.05, side * (medial + 0.03)]) + reach * way)
        line = bent_line(rng, start, np.arctan2(*way), unit * rng.uniform(0.02, 0.2), rng.normal(0, 0.4))
        lines.append(line)
        widths.append(unit * rng.uniform(0.006, 0.028) / (1 + 4 * reach))
    dots = plane.dots(int(rng.integers(40, 250)), (0.25, 1.3))
    cover: Field = np.maximum(plane.lines(lines, widths), dots * rng.uniform(0.3, 1))
    return cover


def _paint_tumours(patient: Patient, field: Field) -> NDArray[np.bool_]:
    """Masses that begin at the lungs' border; they are no lung. Returns where they are."""
    rng, plane = patient.rng, patient.plane
    where = np.zeros(field.shape, bool)
    rim = np.argwhere((field > 0) & (field < 0.03))
    for _ in range(patient.record.tumours if len(rim) else 0):
        y, x = rim[rng.integers(len(rim))]
        v, u = patient.v[y, x], patient.u[y, x]
        mass = patient.oval(v, u, rng.uniform(0.03, 0.16), rng.uniform(0.03, 0.16)) + 0.012 * plane.fractal(12, 3)
        mass = np.minimum(mass, field + 0.02)
        patient.paint(mass, patient.tissue(rng.uniform(20, 70)), "soft tissue")
        where |= mass >= 0
    return where
