"""The patient of one synthetic slice of chest CT, to paint on: Hounsfield units and parts in the body's own axes.

Each organ is a field that is positive inside it, about the distance to its border in halves of the image's side.
"""

from __future__ import annotations

import numpy as np

from napari_s3net.phantom.anatomy import AIR
from napari_s3net.phantom.chest_record import ChestRecord
from napari_s3net.phantom.paint import Field
from napari_s3net.phantom.plane import PaintedPlane, soft_step

#: What `Patient.parts` counts.
CHEST_PARTS = ("air outside", "soft tissue", "lung", "bone", "gas", "table", "dense lung")


class Patient:
    """One patient on a plane, air all over until something is painted.

    Parameters
    ----------
    plane : PaintedPlane
        What is painted on, and the source of randomness.
    record : ChestRecord
        The numbers of this patient.

    Attributes
    ----------
    v, u : numpy.ndarray
        (n, n): down to the back, and across.
    room_y, room_x : numpy.ndarray
        (n, n): down and across in the room, for what does not lie as the patient does.
    hu : numpy.ndarray
        (n, n) float32, Hounsfield units.
    parts : numpy.ndarray
        (n, n) uint8, an index into `CHEST_PARTS`.
    """

    def __init__(self, plane: PaintedPlane, record: ChestRecord) -> None:
        self.plane, self.record, self.rng = plane, record, plane.rng
        y, x = (plane.y - record.shift[0]) / record.zoom, (plane.x - record.shift[1]) / record.zoom
        cos, sin = np.cos(record.turn), np.sin(record.turn)
        v, u = y * cos + x * sin, x * cos - y * sin
        self.v = (-v if record.prone else v) + 0.02 * plane.cloud(3)
        self.u = (-u if record.mirrored else u) + 0.02 * plane.cloud(3)
        self.room_y, self.room_x = y, x
        self.hu = np.full(plane.y.shape, AIR, np.float32)
        self.parts = np.zeros(plane.y.shape, np.uint8)

    @property
    def trunk_axes(self) -> tuple[float, float]:
        """Half axes of the trunk, from front to back and across; the neck is narrower."""
        record = self.record
        neck = float(np.clip(1 + 2.0 * min(record.level, 0.0), 0.5, 1))
        return record.half_depth * neck, record.half_width * neck

    @property
    def cavity_axes(self) -> tuple[float, float]:
        """Half axes of what lies within the chest's wall."""
        record = self.record
        return record.half_depth - record.fat - record.wall, record.half_width - record.fat - record.wall

    def oval(self, cy: float, cx: float, ry: float, rx: float, power: float = 2.0) -> Field:
        """Draw a superellipse.

        Parameters
        ----------
        cy, cx : float
            Its middle, in `v` and `u`.
        ry, rx : float
            Its half axes.
        power : float
            2 is an ellipse; the higher, the squarer.

        Returns
        -------
        numpy.ndarray
            (n, n), positive inside.
        """
        r = (np.abs((self.v - cy) / ry) ** power + np.abs((self.u - cx) / rx) ** power) ** (1 / power)
        inside: Field = (1 - r) * min(ry, rx)
        return inside

    def stick(self, middle: tuple[float, float], angle: float, half: float, thick: float) -> Field:
        """Draw a straight bar.

        Parameters
        ----------
        middle : tuple of float
            In `v` and `u`.
        angle : float
            Its direction in radians: 0 is across.
        half, thick : float
            Half its length, and half its thickness.

        Returns
        -------
        numpy.ndarray
            (n, n), positive inside.
        """
        v, u = self.v - middle[0], self.u - middle[1]
        along, across = v * np.sin(angle) + u * np.cos(angle), v * np.cos(angle) - u * np.sin(angle)
        bar: Field = np.minimum(thick - np.abs(across), (half - np.abs(along)) * 0.5)
        return bar

    def tissue(self, value: float, spread: float = 8.0) -> Field:
        """Draw Hounsfield units that vary a little over an organ.

        Parameters
        ----------
        value, spread : float
            Their mean and standard deviation.

        Returns
        -------
        numpy.ndarray
            (n, n).
        """
        varied: Field = value + spread * self.plane.cloud(12)
        return varied

    def paint(self, field: Field, value: Field | float, part: str, soft: float = 0.008) -> None:
        """Fill where a field is positive.

        Parameters
        ----------
        field : numpy.ndarray
            (n, n).
        value : numpy.ndarray or float
            Hounsfield units.
        part : str
            What it is; one of `CHEST_PARTS`.
        soft : float
            Half the width of its border.
        """
        cover = soft_step(field, soft)
        self.hu += cover * (np.asarray(value, np.float32) - self.hu)
        self.parts[field > 0] = CHEST_PARTS.index(part)
