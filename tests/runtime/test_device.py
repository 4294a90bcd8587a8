"""Which device is used."""

import threading
import weakref

import pytest
import torch

from napari_s3net.errors import DeviceError
from napari_s3net.runtime import device
from napari_s3net.runtime.device import available_devices, empty_caches, is_out_of_memory, resolve_device


def test_auto_takes_the_best_and_the_cpu_is_always_there():
    assert available_devices()[-1] == "cpu"
    assert str(resolve_device("auto")) == available_devices()[0]
    assert resolve_device("cpu") == torch.device("cpu")


def test_what_is_a_device_already_is_not_asked_for_again():
    device = torch.device("cuda:99")
    assert resolve_device(device) is device


@pytest.mark.parametrize("name", ["cuda:99", "tpu", ""])
def test_what_is_not_there_lists_what_is(name):
    with pytest.raises(DeviceError, match=r"auto, .*cpu"):
        resolve_device(name)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), True),
        (RuntimeError("MPS backend out of memory"), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), True),
        (MemoryError(), True),
        (RuntimeError("size mismatch"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_out_of_memory_is_told_from_other_errors(error, expected):
    assert is_out_of_memory(error) is expected


def test_caches_are_emptied_without_harm():
    class Loop:
        pass

    one = Loop()
    one.itself, gone = one, weakref.ref(one)
    del one
    empty_caches()
    assert gone() is None


def test_all_is_collected_on_the_main_thread_alone(monkeypatch):
    asked = []
    monkeypatch.setattr(device.gc, "collect", asked.append)
    empty_caches()
    thread = threading.Thread(target=empty_caches)
    thread.start()
    thread.join()
    assert asked == [2, 1]
