"""An axial chest CT slice in Hounsfield units, at the level of the heart, with contrast medium in the vessels.

The anatomy is drawn in millimetres for one patient and then stretched, turned and bent for each seed. As in radiology,
the patient's right is on the left of the image and the table below.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from napari_s3net.image import Geometry, Image
from napari_s3net.phantom import anatomy
from napari_s3net.phantom.anatomy import AIR, BLOOD, CARTILAGE, CORTEX, FAT, FLUID, HEART_MUSCLE, LUNG, MARROW, MUSCLE
from napari_s3net.phantom.paint import (
    Canvas,
    Field,
    Points,
    closed_curve,
    ellipse,
    grown,
    open_curve,
    scanner_noise,
    texture,
)
from napari_s3net.phantom.simple import Phantom

#: Width of the field of view in mm.
FIELD_OF_VIEW = 410.0


class _Patient:
    """Canvases in one patient's proportions: the scan, the truth of the lungs, and what is seen inside them."""

    def __init__(self, rng: np.random.Generator, shape: tuple[int, int]) -> None:
        self.rng = rng
        self.spacing = FIELD_OF_VIEW / min(shape)
        centre = ((shape[0] - 1) * 0.46, (shape[1] - 1) * 0.5)
        self.scan = Canvas(shape, AIR, spacing=self.spacing, centre=centre)
        self.lungs = Canvas(shape, 0, spacing=self.spacing, centre=centre)
        self.vessels = Canvas(shape, LUNG, spacing=self.spacing, centre=centre)
        self._stretch = rng.uniform((0.92, 0.92), (1.06, 1.05))
        self._turn = np.radians(rng.uniform(-2.5, 2.5))
        self._bend = rng.uniform(-1, 1, (2, 2)) * (3.5, 2.5)
        self._phase = rng.uniform(0, 2 * np.pi, (2, 2))
        self.fat = rng.uniform(9, 24)
        self.breasts = rng.uniform(12, 30) if rng.random() < 0.5 else 0.0

    def place(self, points: ArrayLike) -> Points:
        """From the drawn anatomy to this patient's."""
        y, x = (np.asarray(points, float) * self._stretch).T
        wave = 2 * np.pi / 260
        y, x = (
            y + self._bend[0] @ np.sin([wave * x + self._phase[0, 0], 1.6 * wave * x + self._phase[0, 1]]),
            x + self._bend[1] @ np.sin([wave * y + self._phase[1, 0], 1.6 * wave * y + self._phase[1, 1]]),
        )
        cos, sin = np.cos(self._turn), np.sin(self._turn)
        return np.stack([y * cos + x * sin, x * cos - y * sin], axis=1)

    def organ(self, outline: ArrayLike, value: float) -> None:
        """Paint an organ, which is no lung."""
        self.scan.fill(self.place(outline), value)
        self.lungs.fill(self.place(outline), 0)

    def tube(self, line: ArrayLike, width: ArrayLike, value: float) -> None:
        """Paint a long thing, which is no lung."""
        self.scan.stroke(self.place(line), width, value)
        self.lungs.stroke(self.place(line), width, 0)

    def vessel(self, line: ArrayLike, width: ArrayLike, value: float) -> None:
        """Paint a long thing that is seen only inside the lungs and belongs to them."""
        self.vessels.stroke(self.place(line), width, value)

    def bone(self, outline: Points, rim: float, marrow: float = MARROW) -> None:
        """Paint marrow within a rim of dense bone."""
        self.organ(outline, CORTEX)
        self.organ(grown(outline, -rim), marrow)


def chest_ct(seed: int = 0, shape: tuple[int, int] = (512, 512)) -> Phantom:
    """Draw a chest CT slice: lungs with vessels, heart and aorta, spine and ribs, muscle and fat, the table, noise.

    Parameters
    ----------
    seed : int
        The same seed gives the same slice; another seed, another patient.
    shape : tuple of int
        (H, W) in pixels; the shorter side shows 410 mm.

    Returns
    -------
    Phantom
        (H, W) int16 Hounsfield units with the spacing in mm. The mask is the lungs, their vessels included.
    """
    rng = np.random.default_rng(seed)
    patient = _Patient(rng, shape)
    _wall(patient)
    for side, outline in ((-1, anatomy.RIGHT_LUNG), (1, anatomy.LEFT_LUNG)):
        patient.lungs.fill(patient.place(closed_curve(outline)), 1)
        _vessels(patient, side)
    patient.scan.paste(patient.vessels, where=patient.lungs)
    _mediastinum(patient)
    _bones(patient)
    mask = patient.lungs.mask()
    array = _acquire(rng, patient.scan.image(), patient.lungs.image())
    axes = Geometry.identity(2).direction
    geometry = Geometry((patient.spacing,) * 2, (0.0, 0.0), axes, unit="mm")
    return Phantom(Image(array, geometry, "ct", "chest_ct"), mask)


def _table(patient: _Patient, top: float) -> None:
    """The mattress on the scanner's curved table, in the room's millimetres; `top` is where the patient lies on it."""
    x = np.linspace(-230, 230, 60)
    for y, value in ((0, -650), (1.2, -965), (13, -700), (14, AIR)):
        patient.scan.fill([(top + y, -240), (top + y, 240), (400, 240), (400, -240)], value)
    for depth, value in ((0, 40), (2.6, -955), (24, 40), (26.6, AIR)):
        shell = np.stack([top + 20 + depth + 26 * np.cos(np.clip(x / 150, -1.5, 1.5)), x], axis=1)
        patient.scan.fill(np.vstack([shell, [(400, 230), (400, -230)]]), value)


def _wall(patient: _Patient) -> None:
    """Skin, fat and the muscles of the chest wall, with what lies inside still filled with fat."""
    cavity = closed_curve(anatomy.CAVITY)
    wall = grown(cavity, 11)
    body = _body(patient)
    _table(patient, body[:, 0].max() + 2)
    patient.scan.fill(grown(body, 2), 15)
    patient.scan.fill(body, FAT)
    _glands(patient)
    patient.scan.fill(patient.place(wall), MUSCLE)
    for side in (-1, 1):
        for ring in ((1.5, 3.2), (5.0, 1.2)):
            arc = grown(cavity, ring[0])
            patient.tube(arc[arc[:, 1] * side > 20], ring[1], FAT)
        _muscles(patient, side)
    patient.scan.fill(patient.place(cavity), FAT)


def _body(patient: _Patient) -> Points:
    """The body's outline in place: with breasts, and flat where it lies on the table."""
    y, x = grown(closed_curve(anatomy.TRUNK), patient.fat - 4).T
    y = y - patient.breasts * np.exp(-(((np.abs(x) - 82) / 42) ** 2)) * (y < 0)
    placed = patient.place(np.stack([y, x], axis=1))
    flat = placed[:, 0].max() - 7
    beyond = placed[:, 0] > flat
    placed[beyond, 0] = flat + 0.1 * (placed[beyond, 0] - flat)
    return placed


def _glands(patient: _Patient) -> None:
    """Strands of tissue in the breasts, towards their tips."""
    rng, depth = patient.rng, patient.fat + patient.breasts
    for _ in range(int(patient.breasts * 2)):
        side = rng.choice([-1, 1])
        reach = rng.uniform(0.1, 0.7)
        place = np.array([-80 - reach * depth, side * (82 + rng.uniform(-24, 24) * (1 - reach))])
        way = np.array([-rng.uniform(1, 6), rng.normal(0, 3)])
        patient.tube([place - way, place + rng.normal(0, 1, 2), place + way], [0.6, rng.uniform(1, 3.5), 0.6], 5)


def _muscles(patient: _Patient, side: int) -> None:
    """Pectoral, back and shoulder-blade muscles of one side, with fat between them, and the tip of the blade."""
    pectoral = open_curve([(-91, side * 22), (-93, side * 55), (-80, side * 92), (-52, side * 124)])
    patient.tube(pectoral, 13 * np.sin(np.linspace(0.5, np.pi - 0.3, len(pectoral))), MUSCLE + 5)
    broad = open_curve([(-8, side * 134), (30, side * 138), (64, side * 126), (88, side * 96)])
    patient.tube(broad, 9 * np.sin(np.linspace(0.3, np.pi - 0.2, len(broad))), MUSCLE)
    patient.tube(
        grown(closed_curve([(52, side * 116), (72, side * 126), (92, side * 96), (74, side * 92)]), 2), 1.0, FAT
    )
    blade = open_curve([(58, side * 130), (74, side * 118), (87, side * 102)])
    patient.tube(blade, 25 * np.sin(np.linspace(0.3, np.pi - 0.3, len(blade))), MUSCLE)
    patient.tube(blade[6:-6], 4.2, CORTEX)
    patient.tube(blade[12:-12], 1.6, MARROW)
    for y, x, half_y, half_x in ((89, 26, 12, 20), (86, 54, 9, 13)):
        patient.scan.fill(patient.place(ellipse(y, side * x, half_y + 1, half_x + 1)), FAT)
        patient.scan.fill(patient.place(ellipse(y, side * x, half_y, half_x)), MUSCLE)


def _vessels(patient: _Patient, side: int) -> None:
    """Arteries, veins and bronchi that fan out from the hilum, the fissure, and small vessels cut across."""
    rng = patient.rng
    hilum = np.array([12.0, side * 44])
    fissure = open_curve([(12, side * 44), (4, side * 74), (-12, side * 100), (-26, side * 119)])
    patient.vessel(fissure, 0.9, -690)
    for angle in np.linspace(-1.1, 1.25, 6) + rng.normal(0, 0.15, 6):
        _branch(patient, hilum + rng.normal(0, 5, 2), angle, side, rng.uniform(3, 5.5), rng.uniform(18, 52))
    for _ in range(140):
        angle, reach = rng.uniform(-1.5, 1.5), 14 + 86 * rng.random() ** 0.7
        place = hilum + reach * np.array([np.sin(angle), side * np.cos(angle)])
        width = max(0.7, rng.normal(2.9 - 0.022 * reach, 0.4))
        way = angle + rng.normal(0, 0.6)
        half = (0.4 * width + rng.exponential(0.9)) * np.array([np.sin(way), side * np.cos(way)])
        line = [place - half, place + rng.normal(0, 0.3, 2), place + half]
        patient.vessel(line, [0.8 * width, width, 0.5 * width], rng.uniform(-680, -480) + 190 * width)


def _branch(patient: _Patient, start: Points, angle: float, side: int, width: float, length: float) -> None:
    """One vessel with its branches; ever thinner, until it is too thin to be seen."""
    rng = patient.rng
    ahead = np.array([np.sin(angle), side * np.cos(angle)])
    aside = np.array([ahead[1], -ahead[0]]) * rng.normal(0, 0.09) * length
    t = np.linspace(0, 1, 30)[:, None]
    line = start + length * t * ahead + 4 * t * (1 - t) * aside
    patient.vessel(line, np.linspace(width, 0.45 * width, len(line)), min(60, -420 + 170 * width))
    if width < 1.5:
        return
    for part in (rng.uniform(0.3, 0.7), 1.0):
        turn = angle + rng.choice([-1, 1]) * rng.uniform(0.35, 0.85)
        _branch(
            patient, line[int(part * 29)], turn, side, width * rng.uniform(0.4, 0.6), length * rng.uniform(0.35, 0.6)
        )


def _mediastinum(patient: _Patient) -> None:
    """Heart with its chambers in fat, great vessels, bronchi, gullet."""
    for outline, value in (
        (grown(closed_curve(anatomy.HEART), 2.5), FAT),
        (ellipse(34, 8, 20, 19), FAT),
        (closed_curve(anatomy.HEART), HEART_MUSCLE - 25),
        (closed_curve(anatomy.MYOCARDIUM), HEART_MUSCLE),
        (ellipse(-39, -20, 5, 7), FAT),
        (ellipse(-39, -20, 1.8, 1.8), BLOOD),
        (ellipse(-37, 21, 4, 9), FAT + 30),
        (closed_curve(anatomy.RIGHT_ATRIUM), BLOOD - 15),
        (grown(closed_curve(anatomy.RIGHT_VENTRICLE), 3), HEART_MUSCLE),
        (closed_curve(anatomy.RIGHT_VENTRICLE), BLOOD - 15),
        (closed_curve(anatomy.LEFT_VENTRICLE), BLOOD),
        (grown(closed_curve(anatomy.LEFT_ATRIUM), 1.5), HEART_MUSCLE),
        (closed_curve(anatomy.LEFT_ATRIUM), BLOOD),
        (ellipse(-21, 3, 14.5, 15), HEART_MUSCLE),
        (ellipse(-21, 3, 13, 13.5), BLOOD + 10),
        (ellipse(25, 7, 6, 9.5), 40),
        (ellipse(24.5, 6, 1.2, 2.4), -600),
        (ellipse(41, 27, 13, 13), HEART_MUSCLE),
        (ellipse(41, 27, 11.8, 11.8), BLOOD + 5),
        (ellipse(44, -15, 4, 4.5), BLOOD - 20),
    ):
        patient.organ(outline, value)
    for side in (-1, 1):
        for y, x, radius, value in ((13, 38, 8, BLOOD - 5), (4, 42, 6, BLOOD), (21, 43, 6.5, 20), (21, 43, 4.6, -990)):
            patient.organ(ellipse(y, side * x, radius, radius * 1.1), value)


def _bones(patient: _Patient) -> None:
    """Spine with its canal, sternum with rib cartilage, and the ribs, each cut obliquely."""
    patient.bone(closed_curve(anatomy.ARCH, 240), 1.4)
    patient.organ(ellipse(73, 0, 10, 11), CORTEX)
    patient.bone(closed_curve(anatomy.VERTEBRA), 1.3)
    patient.organ(ellipse(73, 0, 8.5, 9.5), FLUID)
    patient.organ(ellipse(73, 0, 4, 5.5), 38)
    patient.bone(closed_curve(anatomy.STERNUM), 1.5, 110)
    path = grown(closed_curve(anatomy.CAVITY, 720), 5.5)
    for side in (-1, 1):
        patient.organ(ellipse(-87, side * 36, 5.5, 14), CARTILAGE)
        half = path[path[:, 1] * side > 0]
        half = half[np.argsort(np.arctan2(half[:, 1] * side, -half[:, 0]))]
        start = patient.rng.uniform(0.24, 0.28)
        while start < 0.86:
            long = patient.rng.uniform(0.05, 0.085)
            rib = half[int(start * len(half)) : int((start + long) * len(half)) : 3]
            rib = _rotated(rib, side * patient.rng.uniform(0.02, 0.16))
            width = 7.5 * np.sqrt(np.sin(np.linspace(0.15, np.pi - 0.15, len(rib))))
            patient.tube(rib, width, CORTEX)
            patient.tube(rib[1:-1], np.maximum(width[1:-1] - 2.8, 0.4), MARROW)
            start += long + patient.rng.uniform(0.05, 0.085)
        neck = open_curve([(60, side * 19), (71, side * 34), (82, side * 52), (88, side * 68)])[
            patient.rng.integers(14) :
        ]
        width = 8 * np.sqrt(np.sin(np.linspace(0.1, np.pi - 0.1, len(neck))))
        patient.tube(neck, width, CORTEX)
        patient.tube(neck[2:-2], np.maximum(width[2:-2] - 2.8, 0.4), MARROW)


def _acquire(rng: np.random.Generator, scan: Field, lungs: Field) -> NDArray[np.int16]:
    """What the scanner makes of it: denser lung where it hangs lowest, blur, correlated noise, a round field."""
    h, w = scan.shape
    y, x = np.mgrid[-1 : 1 : h * 1j, -1 : 1 : w * 1j].astype(np.float32)
    depth = 55 * y + 22 * texture(rng, scan.shape, 26, 3) + 42 * texture(rng, scan.shape, 4, 2)
    blurred = ndimage.gaussian_filter(scan + lungs * depth, 0.65 * min(h, w) / 512)
    inside = np.clip((blurred + 1000) / 800, 0, 1)
    noise = (6 + 15 * inside * np.exp(-(x**2 + y**2))) * scanner_noise(rng, scan.shape)
    soft = inside * 4 * texture(rng, scan.shape, 9, 3)
    field = np.hypot(y * h, x * w) <= min(h, w)
    return np.where(field, np.clip(np.round(blurred + noise + soft), -1024, 3071), -1024).astype(np.int16)


def _rotated(line: Points, angle: float) -> Points:
    """A line turned about its middle."""
    cos, sin = np.cos(angle), np.sin(angle)
    middle = line.mean(axis=0)
    turned: Points = middle + (line - middle) @ np.array([[cos, sin], [-sin, cos]])
    return turned
