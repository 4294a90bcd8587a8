"""Synthetic slices of chest CT with the mask of the lungs, drawn as widely at random as patients differ: to learn from.

`chest_ct` draws one careful anatomy at one level for samples and docs; here it is the breadth that counts: every level
from the neck to the belly, every depth of breath, and the illnesses that change what lung looks like. Each organ is a
field that is positive inside it, about the distance to its border in halves of the image's side.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_s3net.phantom.anatomy import AIR, FAT, MUSCLE
from napari_s3net.phantom.chest_record import ChestRecord, draw_chest_record
from napari_s3net.phantom.paint import Field, scanner_noise
from napari_s3net.phantom.plane import PaintedPlane, bent_line, blur, soft_step
from napari_s3net.phantom.synthetic_skin import FINER, shrunk_mask, shrunk_parts

#: What `SyntheticChest.parts` counts.
CHEST_PARTS = ("air outside", "soft tissue", "lung", "bone", "gas", "table", "dense lung")
#: Values below this are not written.
LEAST = -1024


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
        (S, S) uint8: what is seen in each pixel, an index into `CHEST_PARTS`.
    record : ChestRecord
        What was drawn.
    """

    array: NDArray[np.int16]
    mask: NDArray[np.bool_]
    parts: NDArray[np.uint8]
    record: ChestRecord


class _Patient:
    """Fields of one patient on the plane, in the body's own axes: `v` down to the back, `u` across."""

    def __init__(self, plane: PaintedPlane, record: ChestRecord) -> None:
        self.plane, self.record, self.rng = plane, record, plane.rng
        y, x = (plane.y - record.shift[0]) / record.zoom, (plane.x - record.shift[1]) / record.zoom
        cos, sin = np.cos(record.turn), np.sin(record.turn)
        v, u = y * cos + x * sin, x * cos - y * sin
        bend = 0.02 * plane.cloud(3)
        self.v = (-v if record.prone else v) + bend
        self.u = (-u if record.mirrored else u) + 0.02 * plane.cloud(3)
        self.hu = np.full(plane.y.shape, AIR, np.float32)
        self.parts = np.zeros(plane.y.shape, np.uint8)
        # The image's up and down are the room's: the table stays below the patient.
        self.room_y, self.room_x = y, x

    def oval(self, cy: float, cx: float, ry: float, rx: float, power: float = 2.0) -> Field:
        """A superellipse around (cy, cx)."""
        r = (np.abs((self.v - cy) / ry) ** power + np.abs((self.u - cx) / rx) ** power) ** (1 / power)
        inside: Field = (1 - r) * min(ry, rx)
        return inside

    def paint(self, field: Field, value: Field | float, part: str, soft: float = 0.008) -> None:
        """Fill where a field is positive."""
        cover = soft_step(field, soft)
        self.hu += cover * (np.asarray(value, np.float32) - self.hu)
        self.parts[field > 0] = CHEST_PARTS.index(part)

    def tissue(self, value: float, spread: float = 8.0) -> Field:
        """Hounsfield units that vary a little over the organ."""
        varied: Field = value + spread * self.plane.cloud(12)
        return varied


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
    plane = PaintedPlane(np.random.default_rng([seed, 3]), round(size * FINER))
    patient = _Patient(plane, record)
    _table(patient)
    body, cavity = _body(patient)
    lungs, medial = _lungs(patient, cavity)
    _skeleton(patient, cavity, body)
    _organs(patient, cavity, body)
    mask = _fill_lungs(patient, lungs, medial)
    _airways(patient, mask)
    _bowel(patient, lungs, cavity)
    _metal(patient)
    array = shrunk_field(_scan(patient), size)
    return SyntheticChest(array, shrunk_mask(mask, size), shrunk_parts(patient.parts, size), record)


def _table(patient: _Patient) -> None:
    """Flat and curved plates below the patient, a mattress, and what lies on it."""
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


def _body(patient: _Patient) -> tuple[Field, Field]:
    """Skin, fat and muscle, arms; returns the fields of the trunk and of the chest's cavity."""
    rng, r = patient.rng, patient.record
    neck = np.clip(1 + 2.0 * min(r.level, 0.0), 0.5, 1)
    ry, rx = r.half_depth * neck, r.half_width * neck
    body = patient.oval(0, 0, ry, rx, r.squareness)
    if r.breasts and 0.15 < r.level < 0.9:
        for side in (-1, 1):
            height = r.breasts * rng.uniform(0.8, 1.2)
            body = np.maximum(body, patient.oval(-0.75 * ry, side * 0.5 * rx, 0.5 * ry * (0.5 + height), 0.42 * rx))
    if r.level < 0.25:  # shoulders
        for side in (-1, 1):
            body = np.maximum(body, patient.oval(0.15, side * 0.85 * rx, 0.55 * ry, 0.4 * rx))
    shapes = [body]
    if r.arms:
        beside = (rng.uniform((-0.1, 0.12), (0.3, 0.2)) for _ in range(2))
        shapes += [patient.oval(y, side * (rx + x), 0.13, 0.12) for side, (y, x) in zip((-1, 1), beside, strict=True)]
    for shape in shapes:
        shape += 0.006 * patient.plane.cloud(6)
        patient.paint(shape, patient.tissue(30), "soft tissue")
        patient.paint(shape - 0.01, patient.tissue(FAT, 12), "soft tissue")
        patient.paint(shape - r.fat, patient.tissue(MUSCLE, 10), "soft tissue", 0.02)
    for arm in shapes[1:]:
        patient.paint(arm - 0.09, 700, "bone")
        patient.paint(arm - 0.11, 200, "bone")
    strands = np.abs(patient.plane.fractal(14, 3)) < rng.uniform(0.05, 0.25)
    patient.hu[(body > r.fat) & strands] = FAT + 20
    margin = r.fat + r.wall
    cavity = patient.oval(0.02, 0, max(ry - margin, 0.1), max(rx - margin - 0.03, 0.1), rng.uniform(2.0, 2.8))
    return body, cavity


def _lungs(patient: _Patient, cavity: Field) -> tuple[list[Field], float]:
    """The fields of both lungs, and how far from the middle they begin."""
    rng, r = patient.rng, patient.record
    if not r.has_object:
        return [], 0.1
    ry, rx = r.half_depth - r.fat - r.wall, r.half_width - r.fat - r.wall
    level = r.level
    medial = rng.uniform(0.08, 0.16) + (0.08 if level < 0.15 else 0.0)
    apex = min(1.0, 0.35 + level / 0.35 * 0.65)  # towards the tip the lungs are small and lie behind
    lungs = []
    for side in (-1, 1):
        size = apex * (1 + side * r.asymmetry * 0.5)
        shape = patient.oval(
            0.1 * (1 - apex), side * (0.5 * rx + 0.02), ry * size, (0.5 * rx - 0.01) * size * 1.05, 2.4
        )
        inner = side * patient.u - medial - 0.5 * np.square(patient.v / ry) * rng.uniform(-0.1, 0.12) * rx
        whole = np.minimum(cavity, side * patient.u - 0.6 * medial) if apex >= 1 else shape
        lung = np.minimum(np.minimum(whole, cavity - 0.003), inner if apex >= 1 else whole)
        spine = patient.oval(0.85 * ry, 0, 0.42 * ry, 0.3 * rx)
        lung = np.minimum(lung, -spine)
        lung = np.minimum(lung, -_diaphragm(patient, side, ry, rx))
        if 0.3 < level < 0.95:
            lung = np.minimum(lung, -_heart(patient, ry, rx))
        if 0.3 < level < 0.7:  # the notch where vessels and bronchi enter
            notch = patient.oval(rng.uniform(-0.05, 0.15), side * (medial + 0.02), rng.uniform(0.04, 0.14), 0.1)
            lung = np.minimum(lung, -notch - 0.015 * patient.plane.fractal(10, 3))
        if r.effusion and rng.random() < 0.7:
            fluid = patient.v - (ry * (0.95 - r.effusion * 2) + 0.1 * np.square(patient.u))
            lung = np.minimum(lung, -fluid)
        if rng.random() < 0.015:
            continue  # taken out
        lungs.append(lung + 0.004 * patient.plane.fractal(8, 3))
    return lungs, medial


def _diaphragm(patient: _Patient, side: int, ry: float, rx: float) -> Field:
    """What rises from below into a lung: the dome of liver or stomach, the more of it the lower the slice."""
    rng, level = patient.rng, patient.record.level
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


def _heart(patient: _Patient, ry: float, rx: float) -> Field:
    """The heart and the great vessels: wide below, narrow above."""
    r = patient.record
    size = r.heart * np.clip((r.level - 0.2) / 0.35, 0.45, 1.0)
    return patient.oval(-0.25 * ry, 0.14 * rx * size, 0.55 * ry * size, 0.42 * rx * size, 2.2)


def _organs(patient: _Patient, cavity: Field, body: Field) -> None:
    """What fills the cavity apart from lung: fat, heart, vessels, liver, spleen, stomach."""
    rng, r = patient.rng, patient.record
    blood = 45 + r.contrast
    ry, rx = r.half_depth - r.fat - r.wall, r.half_width - r.fat - r.wall
    patient.paint(cavity, patient.tissue(FAT if r.level < 0.75 else rng.choice((FAT, 50)), 15), "soft tissue")
    spine = patient.oval(0.85 * ry, 0, 0.42 * ry, 0.3 * rx)
    spine = np.minimum(spine, body - r.fat)
    patient.paint(spine - 0.01, patient.tissue(MUSCLE), "soft tissue")
    vertebra = np.minimum(patient.oval(0.78 * ry, 0, 0.2 * ry, 0.16 * rx), spine)
    patient.paint(vertebra, rng.uniform(120, 400), "bone")
    patient.paint(patient.oval(0.98 * ry, 0, 0.07 * ry, 0.06 * rx), 30, "soft tissue")
    if r.level > 0.1:
        heart = _heart(patient, ry, rx) if r.level < 0.98 else patient.oval(0, 0, 0.01, 0.01)
        patient.paint(heart, patient.tissue(50 + 0.6 * r.contrast, 0.1 * r.contrast + 10), "soft tissue")
        for _ in range(int(rng.integers(2, 6))):
            place = rng.normal((-0.1, 0.0), (0.12, 0.12))
            vessel = patient.oval(place[0], place[1], rng.uniform(0.02, 0.08), rng.uniform(0.02, 0.08))
            patient.paint(vessel, blood + rng.normal(0, 20), "soft tissue")
        patient.paint(patient.oval(0.5 * ry, 0.15 * rx, 0.06, 0.06), blood, "soft tissue")
    if r.level > 0.55:
        for side, value in ((-1, 60 + 0.3 * r.contrast), (1, rng.uniform(0, 90))):
            dome = np.minimum(_diaphragm(patient, side, ry, rx), cavity)
            patient.paint(dome, patient.tissue(value), "soft tissue")


def _skeleton(patient: _Patient, cavity: Field, body: Field) -> None:
    """Ribs cut slantwise around the cavity, the arch of the spine, breastbone, blades and collarbones."""
    rng, r = patient.rng, patient.record
    theta, within = np.arctan2(patient.v, patient.u), body - 0.02
    for _ in range(int(rng.integers(6, 15))):
        middle, long = rng.uniform(-np.pi, np.pi), rng.uniform(0.08, 0.3)
        turn = np.angle(np.exp(1j * (theta - middle)))
        ring = rng.uniform(0.014, 0.024) - np.abs(cavity + rng.uniform(0.02, 0.05) + turn * rng.normal(0, 0.06))
        rib = np.minimum(np.minimum(ring, within), (long - np.abs(turn)) * 0.3)
        patient.paint(rib, rng.uniform(250, 800), "bone", 0.006)
        patient.paint(rib - 0.01, rng.uniform(80, 300), "bone", 0.006)
    ry, rx = r.half_depth, r.half_width
    arch = 0.025 - np.abs(patient.oval(0.75 * ry, 0, 0.12, 0.13))
    patient.paint(np.minimum(np.minimum(arch, patient.v - 0.7 * ry), body - 0.03), 500, "bone")
    if r.level < 0.75:
        patient.paint(patient.oval(-0.85 * ry, 0, 0.03, rng.uniform(0.05, 0.12)), rng.uniform(150, 400), "bone")
    if r.level < 0.45:
        for side in (-1, 1):
            place = (rng.uniform(0.3, 0.8) * ry, side * rng.uniform(0.6, 0.85) * rx)
            blade = _stick(patient, place, side * rng.uniform(0.3, 1.2), rng.uniform(0.1, 0.25), 0.018)
            patient.paint(np.minimum(blade, within), rng.uniform(300, 900), "bone")
            if r.level < 0.2:
                collar = _stick(patient, (-0.5 * ry, side * 0.35 * rx), side * 0.3, 0.2, 0.025)
                patient.paint(np.minimum(collar, within), 700, "bone")


def _stick(patient: _Patient, middle: tuple[float, float], angle: float, half: float, thick: float) -> Field:
    """A straight bone: middle (v, u), direction, half its length, half its thickness."""
    v, u = patient.v - middle[0], patient.u - middle[1]
    along, across = v * np.sin(angle) + u * np.cos(angle), v * np.cos(angle) - u * np.sin(angle)
    stick: Field = np.minimum(thick - np.abs(across), (half - np.abs(along)) * 0.5)
    return stick


def _fill_lungs(patient: _Patient, lungs: list[Field], medial: float) -> NDArray[np.bool_]:
    """Paint both lungs with vessels and what ails them; returns their mask."""
    rng, r, plane = patient.rng, patient.record, patient.plane
    mask = np.zeros(patient.hu.shape, bool)
    if not lungs:
        return mask
    field = lungs[0] if len(lungs) == 1 else np.maximum(*lungs)
    mask = field > 0
    value = r.lung + 15 * plane.fractal(10, 3) + r.gradient * np.clip(patient.v / r.half_depth, -1, 1)
    if r.emphysema:
        value += (rng.uniform(-990, -945) - value) * plane.blobs(r.emphysema, rng.uniform(3, 25), 0.4)
    if r.haze:
        value += rng.uniform(100, 400) * plane.blobs(r.haze, rng.uniform(2, 10), 0.8)
    dense = np.zeros(mask.shape, bool)
    if r.consolidation:
        filled = plane.blobs(r.consolidation, rng.uniform(2, 8), 0.3)
        value, dense = value + (rng.uniform(-100, 60) - value) * filled, dense | (filled > 0.5)
    value += (rng.uniform(0, 80) - value) * np.maximum(_lung_vessels(patient, medial), 0)
    nodules = plane.dots(r.nodules, (0.8, 0.03 * plane.size), field)
    value += (rng.uniform(-100, 60) - value) * nodules
    patient.paint(field, np.maximum(value, AIR), "lung", 0.006)
    patient.parts[mask & dense] = CHEST_PARTS.index("dense lung")
    rim = np.argwhere((field > 0) & (field < 0.03))
    for _ in range(r.tumours if len(rim) else 0):
        at = rim[rng.integers(len(rim))]
        v, u = patient.v[at[0], at[1]], patient.u[at[0], at[1]]
        mass = patient.oval(v, u, rng.uniform(0.03, 0.16), rng.uniform(0.03, 0.16)) + 0.012 * plane.fractal(12, 3)
        mass = np.minimum(mass, field + 0.02)
        patient.paint(mass, patient.tissue(rng.uniform(20, 70)), "soft tissue")
        mask &= mass < 0
    return mask


def _lung_vessels(patient: _Patient, medial: float) -> Field:
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


def _airways(patient: _Patient, mask: NDArray[np.bool_]) -> None:
    """The windpipe or its two branches, with their wall, and at times air in the gullet; none of it is lung."""
    rng, level = patient.rng, patient.record.level
    places: list[tuple[float, float, float]] = []
    if level < 0.45:
        places.append((rng.uniform(-0.1, 0.15), rng.normal(0, 0.025), rng.uniform(0.03, 0.055)))
    elif level < 0.62:
        branches = rng.uniform((0.0, 0.05, 0.018), (0.15, 0.2, 0.045), (2, 3)).tolist()
        places += [(y, side * x, radius) for side, (y, x, radius) in zip((-1, 1), branches, strict=True)]
    if level < 0.9 and rng.random() < 0.25:
        places.append((rng.uniform(0.2, 0.3), rng.normal(0.03, 0.02), rng.uniform(0.008, 0.03)))
    for cy, cx, radius in places:
        tube = patient.oval(cy, cx, radius * rng.uniform(0.8, 1.3), radius * rng.uniform(0.8, 1.3))
        patient.paint(tube + 0.012, rng.uniform(10, 80), "soft tissue")
        patient.paint(tube, rng.uniform(-1000, -940), "gas", 0.006)
        mask &= tube < -0.012


def _bowel(patient: _Patient, lungs: list[Field], cavity: Field) -> None:
    """Pockets of gas in stomach and bowel, flat above the fluid they lie on."""
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


def _metal(patient: _Patient) -> None:
    """Wires and clips, each with dark and bright streaks."""
    rng = patient.rng
    for _ in range(patient.record.metal):
        cy, cx = rng.uniform(-0.4, 0.4, 2)
        patient.paint(patient.oval(cy, cx, rng.uniform(0.006, 0.02), rng.uniform(0.006, 0.03)), 2500, "bone", 0.004)
        theta = np.arctan2(patient.v - cy, patient.u - cx)
        near = np.exp(-np.hypot(patient.v - cy, patient.u - cx) / 0.15)
        patient.hu += rng.uniform(50, 300) * near * np.cos(theta * rng.integers(2, 9) + rng.uniform(0, 6))


def _scan(patient: _Patient) -> Field:
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


def shrunk_field(hu: Field, size: int) -> NDArray[np.int16]:
    """Shrink Hounsfield units by averaging, and round them.

    Parameters
    ----------
    hu : numpy.ndarray
        (n, n), square.
    size : int
        Pixels along each side of the result.

    Returns
    -------
    numpy.ndarray
        (size, size) int16 from −1024 to 3071.
    """
    import PIL.Image

    picture = PIL.Image.fromarray(hu.astype(np.float32)).resize((size, size), PIL.Image.Resampling.BOX)
    return np.clip(np.round(np.asarray(picture)), LEAST, 3071).astype(np.int16)
