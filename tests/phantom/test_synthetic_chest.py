import numpy as np

from napari_s3net.phantom.chest_patient import CHEST_PARTS
from napari_s3net.phantom.chest_record import draw_chest_record
from napari_s3net.phantom.synthetic_chest import synthetic_chest

RECORDS = [draw_chest_record(seed) for seed in range(1000)]


def test_a_seed_gives_the_same_slice_again_and_another_seed_another():
    first, again, other = synthetic_chest(7, 64), synthetic_chest(7, 64), synthetic_chest(8, 64)
    assert first.record == again.record
    assert np.array_equal(first.array, again.array)
    assert np.array_equal(first.mask, again.mask)
    assert not np.array_equal(first.array, other.array)


def test_hounsfield_units_are_where_they_belong():
    checked = 0
    for record in [r for r in RECORDS if r.has_object and 0.3 < r.level < 0.6 and r.noise < 30][:12]:
        if record.emphysema or record.haze or record.consolidation:
            continue
        painted = synthetic_chest(record.seed, 96)
        assert abs(np.median(painted.array[painted.mask]) - record.lung) < 160
        assert np.percentile(painted.array, 99.5) > 150, "bone"
        assert painted.array.min() < -900, "air"
        checked += 1
    assert checked > 4


def test_lungs_are_large_in_the_middle_small_at_the_tip_and_absent_beyond():
    def mean_share(low, high):
        chosen = [r for r in RECORDS if low <= r.level < high][:12]
        return np.mean([synthetic_chest(r.seed, 48).mask.mean() for r in chosen])

    assert mean_share(0.4, 0.6) > 2 * mean_share(0.0, 0.1) > 0
    assert mean_share(0.4, 0.6) > 2 * mean_share(0.92, 1.0) > 0
    assert mean_share(1.05, 1.4) == mean_share(-0.3, -0.02) == 0


def test_gas_of_windpipe_and_bowel_is_no_lung():
    gas = CHEST_PARTS.index("gas")
    met = 0
    for seed in range(30):
        painted = synthetic_chest(seed, 64)
        inside = painted.parts == gas
        met += inside.any()
        assert (painted.mask & inside).sum() <= max(2, 0.05 * inside.sum())
    assert met > 8
