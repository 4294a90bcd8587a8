"""The anatomy of a chest at the level of the heart: outlines in mm of one patient, and Hounsfield units.

Outlines are (y, x) from the middle of the chest; y grows to the back, x to the patient's left.
"""

from __future__ import annotations

from collections.abc import Sequence

#: Hounsfield units (ranges as in Bushberg et al., The Essential Physics of Medical Imaging).
AIR, LUNG, FAT, FLUID, MUSCLE, HEART_MUSCLE = -1000, -855, -105, 8, 55, 95
BLOOD, CARTILAGE, MARROW, CORTEX = 165, 120, 170, 700

Control = Sequence[tuple[float, float]]

CAVITY: Control = [
    (-78, 0), (-77, 46), (-63, 88), (-27, 119), (20, 125.5), (56, 109), (79, 74), (80, 44), (62, 0),
    (80, -44), (79, -74), (56, -109), (20, -125.5), (-27, -119), (-63, -88), (-77, -46),
]  # fmt: skip
TRUNK: Control = [
    (-90, 0), (-92, 46), (-76, 94), (-34, 133), (20, 141), (68, 131), (100, 92), (108, 45), (105, 0),
    (108, -45), (100, -92), (68, -131), (20, -141), (-34, -133), (-76, -94), (-92, -46),
]  # fmt: skip
RIGHT_LUNG: Control = [
    (-66, -12), (-75, -44), (-61, -86), (-26, -117), (19, -124), (55, -107), (77, -74), (78, -44), (62, -25),
    (38, -22), (22, -30), (10, -40), (-30, -36), (-54, -20),
]  # fmt: skip
LEFT_LUNG: Control = [
    (-66, 16), (-74, 48), (-61, 88), (-26, 117), (20, 124), (55, 107), (77, 74), (79, 46), (62, 30),
    (38, 30), (20, 40), (2, 50), (-30, 60), (-56, 34),
]  # fmt: skip
HEART: Control = [
    (-61, -4), (-60, 28), (-48, 60), (-25, 80), (-6, 72), (8, 44), (17, 18), (18, -8), (10, -32), (-12, -45),
    (-36, -42), (-53, -26),
]  # fmt: skip
RIGHT_VENTRICLE: Control = [(-54, -4), (-54, 26), (-45, 50), (-36, 52), (-36, 30), (-34, 10), (-40, -12)]
LEFT_VENTRICLE: Control = [(-26, 24), (-29, 46), (-22, 66), (-12, 64), (-5, 44), (-8, 26)]
MYOCARDIUM: Control = [(-31, 18), (-40, 46), (-30, 72), (-20, 79), (-7, 71), (5, 46), (0, 22)]
RIGHT_ATRIUM: Control = [(-36, -38), (-34, -22), (-20, -16), (-4, -24), (0, -34), (-14, -43)]
LEFT_ATRIUM: Control = [(-8, -12), (-9, 10), (-2, 22), (8, 34), (14, 18), (15, -6), (10, -26), (0, -22)]
VERTEBRA: Control = [
    (36, 0),
    (39, 15),
    (50, 18),
    (63, 17),
    (67, 8),
    (65, 0),
    (67, -8),
    (63, -17),
    (50, -18),
    (39, -15),
]
ARCH: Control = [
    (62, 17), (70, 20), (70, 38), (75, 40), (80, 20), (88, 6), (98, 3), (101, 0), (98, -3), (88, -6), (80, -20),
    (75, -40), (70, -38), (70, -20), (62, -17), (64, 0),
]  # fmt: skip
STERNUM: Control = [(-95, 0), (-94, 14), (-90, 19), (-86, 14), (-85, 0), (-86, -14), (-90, -19), (-94, -14)]
