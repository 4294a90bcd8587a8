"""Patients of synthetic chests, as a test wants them to be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from napari_s3net.phantom.chest_patient import Patient
from napari_s3net.phantom.chest_record import draw_chest_record
from napari_s3net.phantom.plane import PaintedPlane


def patient(seed: int = 0, size: int = 64, **how) -> Patient:
    """One upright in the middle of the image, apart from what the test says."""
    plain = {"turn": 0.0, "shift": (0.0, 0.0), "zoom": 1.0, "prone": False, "mirrored": False, "has_object": True}
    record = replace(draw_chest_record(seed), **(plain | how))
    return Patient(PaintedPlane(np.random.default_rng(seed), size), record)
