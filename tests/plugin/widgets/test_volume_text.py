import pytest

from napari_s3net.image import Geometry
from napari_s3net.plugin.widgets.text import NARROW
from napari_s3net.plugin.widgets.volume_text import amount_text, slices_text, volume_progress, volumes_text
from napari_s3net.progress import Step

LOSSES = {"cluster": 1.0}


def test_a_run_looks_fits_and_goes_through_the_slices():
    assert slices_text(Step(0, 1, {}, 0, slices=79), None) == "Looking at 79 slices"
    assert slices_text(Step(2, 4, LOSSES, 3, slices=79), None) == "Fitting to a few of 79 slices: 2 of 4"
    assert slices_text(Step(4, 4, {}, 3, slice=33, slices=79), 20.0) == f"34 of 79 slices · about 20{NARROW}s left"
    assert slices_text(Step(4, 4, {}, 3, slice=78, slices=79), 0.0) == "79 of 79 slices"


def test_progress_counts_iterations_of_a_plane_and_slices_of_a_volume():
    assert volume_progress(Step(3, 40, LOSSES, 5)) == (3, 40)
    assert volume_progress(Step(3, 4, LOSSES, 5, slices=9)) == (0, 9)
    assert volume_progress(Step(4, 4, {}, 5, slice=8, slices=9)) == (9, 9)
    assert volume_progress(Step(3, 4, LOSSES, 5, slice=2, slices=9)) == (2, 9)  # slice by slice


def test_the_object_in_millilitres():
    about = {"foreground": [1, 2], "object_name": "Lung"}
    voxels = {1: 4_000_000, 2: 812_000, 3: 9_000_000_000}
    mm = Geometry((1.0,) * 3, (0.0,) * 3, Geometry.identity(3).direction)
    assert volumes_text({**about, "slices": [{}] * 79, "geometry": mm}, voxels) == f"Lung 4,812{NARROW}ml in 79 slices"
    other = [*([{"axis": 0}] * 79), {"axis": 1}]
    assert volumes_text({**about, "slices": other, "geometry": mm}, voxels).endswith("in 79 slices")
    assert "voxels" in volumes_text({**about, "slices": [{}], "geometry": Geometry.identity(3)}, voxels)
    assert volumes_text({"foreground": [1]}, {}) == ""
    assert volumes_text({**about, "slices": [], "geometry": mm}, voxels) == f"Lung 4,812{NARROW}ml", "of a model"


@pytest.mark.parametrize(
    ("voxels", "words"), [(2_000_000, "4,000 ml"), (20_000, "40 ml"), (1600, "3.2 ml"), (50, "0.10 ml")]
)
def test_millilitres_have_as_many_digits_as_they_are_known_to(voxels, words):
    geometry = Geometry((2.0, 1.0, 1.0), (0.0,) * 3, Geometry.identity(3).direction)
    assert amount_text(voxels, geometry) == words.replace(" ", NARROW)
    assert amount_text(voxels, Geometry.identity(3)) == f"{voxels:,} voxels"


@pytest.mark.parametrize(("side", "words"), [(0.1, "2 mm³"), (0.01, "2,000,000 µm³"), (0.001, "2,000 µm³")])
def test_what_is_seen_under_a_microscope_is_not_zero_millilitres(side, words):
    geometry = Geometry((side,) * 3, (0.0,) * 3, Geometry.identity(3).direction)
    assert amount_text(2000, geometry) == words.replace(" ", NARROW)
    assert amount_text(0, geometry) == f"0.00{NARROW}ml"
