import numpy as np
import pytest

from napari_s3net.io.values import UNSCALED, Scale, Stored, common_dtype, scaled

U2, I2 = np.dtype(np.uint16), np.dtype(np.int16)
CT = Stored(U2, 0, 4095)


@pytest.mark.parametrize(
    ("stored", "scales", "expected"),
    [
        ([CT], [UNSCALED], np.uint16),
        ([CT, Stored(I2, -2000, 2000)], [UNSCALED] * 2, np.int32),
        ([CT], [Scale(1, -1024)], np.int16),
        ([CT], [Scale(1, 100)], np.uint16),
        ([Stored(U2, 0, 65535)], [Scale(1, -1024)], np.int32),
        ([CT], [Scale(0.5, 0)], np.float64),
        ([Stored(np.dtype(np.float32), 0, 1)], [Scale(2, 0)], np.float64),
        ([Stored(U2, 0, 65535)], [Scale(2**20, 0)], np.float64),
        ([CT, CT], [Scale(1, -1024), Scale(1, -1000)], np.int16),
    ],
)
def test_the_smallest_type_that_holds_every_value(stored, scales, expected):
    assert common_dtype(stored, scales) == np.dtype(expected)


def test_whole_values_are_exact_although_they_overflow_on_the_way():
    stored = np.array([0, 1, 2000, 4095], np.uint16)
    for scale in (Scale(1, -1024), Scale(-3, 12), Scale(7, -28000)):
        dtype = common_dtype([CT], [scale])
        found = scaled(stored, scale, dtype)
        assert found.dtype == dtype
        assert found.tolist() == [int(scale.slope * int(x) + scale.intercept) for x in stored]


def test_other_values_are_floats_and_nothing_is_copied_where_nothing_changes():
    stored = np.array([[1, 2]], np.uint16)
    np.testing.assert_allclose(scaled(stored, Scale(0.25, -0.5), np.float64), [[-0.25, 0.0]])
    assert scaled(stored, UNSCALED, np.uint16) is stored
