"""What a run takes, what there is, and what is advised."""

import re

import pytest

from napari_s3net.errors import OutOfMemoryError
from napari_s3net.runtime import memory
from napari_s3net.runtime.memory import (
    MOST_AT_ONCE,
    SHARE,
    advise,
    card_name,
    estimate_mib,
    free_mib,
    images_at_once,
    mib_text,
    require_label_memory,
    require_memory,
)
from napari_s3net.settings import Settings

SHAPE, SETTINGS = (1000, 1500), Settings(working_size=256)


@pytest.fixture
def free(monkeypatch):
    """As much free memory as a test wants: by device, in MiB."""
    amounts = {"cpu": 8000.0}
    monkeypatch.setattr(memory, "free_mib", lambda device="cpu": amounts[device])
    return amounts


@pytest.mark.parametrize("more", [{"working_size": 512}, {"channels": 32}, {"clusters": 32}, {"variant": "released"}])
def test_the_estimate_grows_with_the_work(more):
    assert estimate_mib(SHAPE, SETTINGS) < estimate_mib(SHAPE, SETTINGS.replace(**more))
    assert estimate_mib(SHAPE, SETTINGS) < estimate_mib((4000, 4000), SETTINGS)


def test_a_stack_takes_what_its_plane_takes():
    assert estimate_mib((40, *SHAPE), SETTINGS) == estimate_mib(SHAPE, SETTINGS)


def test_what_fits_needs_no_remedy(free):
    advice = advise(SHAPE, SETTINGS)
    assert advice.fits
    assert advice.working_size is None
    assert require_memory(SHAPE, SETTINGS) == advice


def test_the_largest_size_that_fits_is_advised(free):
    free["cpu"] = advise(SHAPE, SETTINGS.replace(working_size=160)).needed / memory.SHARE + 1
    advice = advise(SHAPE, SETTINGS)
    assert not advice.fits
    assert advice.working_size == 160
    assert advise(SHAPE, SETTINGS.replace(working_size=advice.working_size)).fits
    with pytest.raises(OutOfMemoryError, match=r"takes about .* can be used\. Try --set working_size=160\.$"):
        require_memory(SHAPE, SETTINGS)


def test_a_small_image_is_advised_below_its_own_size(free):
    free["cpu"] = advise((100, 100), Settings(working_size=64)).needed / memory.SHARE + 1
    assert advise((100, 100), Settings(working_size=1024)).working_size == 64


def test_the_cpu_is_advised_where_the_card_is_full(free):
    free["cuda:0"] = 1.0
    advice = advise(SHAPE, SETTINGS, "cuda:0")
    assert (advice.working_size, advice.cpu) == (None, True)
    with pytest.raises(OutOfMemoryError, match=r"can be used on cuda:0\. Try --device cpu\.$"):
        require_memory(SHAPE, SETTINGS, "cuda:0")


@pytest.mark.parametrize("settings", [SETTINGS, SETTINGS.replace(variant="released")])
def test_where_nothing_fits_it_says_so(free, settings):
    free["cpu"] = 1.0
    with pytest.raises(OutOfMemoryError, match="Close other programs"):
        require_memory(SHAPE, settings)


def test_memory_in_words():
    assert [re.sub(r"\s", " ", mib_text(mib)) for mib in (100, 2000, 30000)] == ["105 MB", "2.1 GB", "31.5 GB"]


MEASURE = """
import sys
import numpy as np, torch
from napari_s3net import phantom
from napari_s3net.benchmark.memory import peak_mib, reset_peak
from napari_s3net.runtime.memory import estimate_mib
from napari_s3net.training.image import TRAINING
from napari_s3net.segmentation import segment
from napari_s3net.settings import presets
torch.set_num_threads(1)
# the last iteration only looks, so one more learns at the full working size
small = presets["skin"].settings.replace(max_iter=TRAINING.guided_iterations + 2, working_size=32)
image = phantom.dermoscopy(shape=(256, 256)).image
segment(image, settings=small, device="cpu")
settings = small.replace(working_size=192)
reset_peak()
before = peak_mib()
segment(image, settings=settings, device="cpu")
print((peak_mib() - before) / estimate_mib(image.shape, settings))
"""


def test_the_estimate_is_near_what_is_measured():
    import subprocess
    import sys

    if sys.platform != "linux":
        pytest.skip("only Linux can forget an earlier peak")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", MEASURE], capture_output=True, encoding="utf-8", check=True
    )
    assert 0.4 < float(done.stdout) < 1.2


def test_a_card_that_does_not_answer_has_no_memory_and_no_name(monkeypatch):
    def lost(*_):
        raise RuntimeError("CUDA error: no CUDA-capable device is detected")

    for name in ("memory_reserved", "mem_get_info", "get_device_name"):
        monkeypatch.setattr(f"torch.cuda.{name}", lost)
    assert free_mib("cuda:0") == 0
    assert card_name("cuda:0") == ""
    assert card_name("cpu") == ""
    advice = advise((64, 64), Settings(working_size=64), "cuda:0")
    assert not advice.fits
    assert advice.cpu


def test_as_many_images_at_once_as_fit_into_free_memory(monkeypatch):
    settings = Settings(working_size=128)
    each = estimate_mib((128, 128), settings)
    for free, images in ((0, 1), (each / SHARE * 5.5, 5), (1e9, MOST_AT_ONCE)):
        monkeypatch.setattr("napari_s3net.runtime.memory.free_mib", lambda *_, free=free: free)
        assert images_at_once((128, 128, 3), settings, "cuda:0") == images


def test_labels_of_a_volume_that_do_not_fit(free):
    require_label_memory((900, 1000, 1000))
    with pytest.raises(OutOfMemoryError, match=r"1,000 slices of 1,000 × 1,000 pixels take 8\.0 GB .* fewer slices"):
        require_label_memory((1000, 1000, 1000))
