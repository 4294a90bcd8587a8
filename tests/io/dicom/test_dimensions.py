"""Frames at one place that only the numbers of their dimensions tell apart."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from pydicom.datadict import tag_for_keyword

from napari_s3net.errors import ReadError, ReadWarning
from napari_s3net.io.dicom.series import read_file
from tests.io.dicom.test_planes import group
from tests.io.made_files import make_dicom, phantom

POSITION, TIME, ECHO = "InStackPositionNumber", "TemporalPositionIndex", "EffectiveEchoTime"
#: Of a maker's own, for which DICOM has no name.
PRIVATE = 0x00211010
LENGTHS = {POSITION: 3, TIME: 2, ECHO: 2, PRIVATE: 2}


def write_enhanced(path, dimensions, *, numbered=True):
    """Three slices for each number along the other dimensions; the position runs fastest, the numbers downwards."""
    indices = [values[::-1] for values in product(*(range(LENGTHS[one], 0, -1) for one in dimensions[::-1]))]
    at = dimensions.index(POSITION)
    frames = [
        group(
            PlanePositionSequence=[group(ImagePositionPatient=[0, 0, 3.0 * values[at]])],
            FrameContentSequence=[group(DimensionIndexValues=list(values if numbered else values[:1]))],
        )
        for values in indices
    ]
    pointers = [one if isinstance(one, int) else tag_for_keyword(one) for one in dimensions]
    stored = phantom((len(indices), 24, 20), np.uint16)
    make_dicom(
        path,
        stored,
        Modality="MR",
        PixelSpacing=[1, 1],
        PerFrameFunctionalGroupsSequence=frames,
        SharedFunctionalGroupsSequence=[
            group(PlaneOrientationSequence=[group(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])])
        ],
        DimensionIndexSequence=[group(DimensionIndexPointer=pointer) for pointer in pointers],
    )
    wanted = [indices.index(tuple(n if one == POSITION else 1 for one in dimensions)) for n in (1, 2, 3)]
    return stored[wanted]


@pytest.mark.parametrize(
    ("dimensions", "name"),
    [
        ((POSITION, TIME), "times"),
        ((TIME, POSITION), "times"),
        ((POSITION, ECHO), "echoes"),
        ((POSITION, PRIVATE), "kinds of frame"),
        ((TIME, POSITION, ECHO), "times"),
    ],
)
def test_of_frames_that_are_only_numbered_those_with_the_first_numbers_are_opened(tmp_path, dimensions, name):
    expected = write_enhanced(tmp_path / "a", dimensions)
    with pytest.warns(ReadWarning, match=rf"of its images are left out \(other {name}\)"):
        image = read_file(tmp_path / "a", None, "a")
    np.testing.assert_array_equal(image.array, expected)
    assert image.geometry.spacing == (3.0, 1.0, 1.0)


@pytest.mark.parametrize("wrong", ["numbers that are missing", "places that contradict them"])
def test_numbers_that_do_not_tell_frames_apart_are_refused(tmp_path, wrong):
    if wrong == "numbers that are missing":
        write_enhanced(tmp_path / "a", (POSITION, TIME), numbered=False)
    else:
        frames = [
            group(
                PlanePositionSequence=[group(ImagePositionPatient=[0, 0, 3.0])],
                FrameContentSequence=[group(DimensionIndexValues=[n])],
            )
            for n in (1, 2)
        ]
        orientation = group(PlaneOrientationSequence=[group(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])])
        make_dicom(
            tmp_path / "a",
            phantom((2, 24, 20), np.uint16),
            PerFrameFunctionalGroupsSequence=frames,
            SharedFunctionalGroupsSequence=[orientation],
            DimensionIndexSequence=[group(DimensionIndexPointer=tag_for_keyword(POSITION))],
        )
    with pytest.raises(ReadError, match="nothing tells them apart"):
        read_file(tmp_path / "a", None, "a")
