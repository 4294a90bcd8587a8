"""The whole command in small: every figure is there, and every page can be made of it."""

import json
import math

import pytest
import torch

from napari_s3net import cli
from napari_s3net.benchmark.speed import command, fresh, growth

KEYS = (
    "seconds_256",
    "ratio_to_released",
    "ratio_to_released_fast",
    "ratio_to_limit",
    "seconds_2000",
    "apply_512",
    "apply_512_all_cores",
    "peak_mib",
)


@pytest.fixture
def small(monkeypatch):
    """Small images, few turns, and no window."""
    make = growth.photograph
    for module in (growth, command):
        monkeypatch.setattr(module, "photograph", lambda rows, columns, seed=0: make(48, 48, seed))
    changes = {"SIDES": (48, 64), "WORKING": (32, 64), "CLUSTERS": (4, 8), "CHANNELS": (4, 8), "COUNTS": (1, 2)}
    for name, value in {**changes, "ITERATIONS": (7, 8)}.items():
        monkeypatch.setattr(growth, name, value)
    for name in ("REPEATS", "FEW"):
        monkeypatch.setattr(command, name, 1)
    chest = growth.phantom.disc(kind="ct")
    monkeypatch.setattr(growth.phantom, "chest_ct", lambda: chest)
    fitted = fresh.measure_applied
    monkeypatch.setattr(fresh, "TURNS", 1)
    monkeypatch.setattr(fresh, "measure_applied", lambda workers: fitted(1))
    monkeypatch.setattr(fresh, "_PEAK", fresh._PEAK.replace("photograph(256, 256)", "photograph(48, 48)"))
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(fresh.sys, "platform", "linux")
    monkeypatch.setattr("napari_s3net.training.released.ReleasedTrainer.__init__.__defaults__", ((32, 32),))


@pytest.mark.slow
def test_every_figure_and_page(small, tmp_path, capsys):
    assert cli.main(["benchmark", "--speed", "--device", "cpu", "-o", str(tmp_path)]) == 0
    speed = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))["speed"]
    assert all(math.isfinite(speed[key]) and speed[key] > 0 for key in KEYS)
    assert speed["cold_start"] == {"skipped": "there is no display"}
    assert set(speed["slopes"]) == set(speed["growth"])
    parts = speed["parts"]
    known = ("prepare", "start", "forward", "backward", "step", "view", "propose", "postprocess")
    assert {*known, "total"} <= set(parts)
    assert all(parts[name] > 0 for name in known)
    page = (tmp_path / "speed.md").read_text(encoding="utf-8")
    assert "was not measured: there is no display" in page
    assert "growth.svg" in page
    assert (tmp_path / "growth.svg").read_text(encoding="utf-8").count("<polyline") >= 2 * len(speed["growth"])
    layers = speed["limit"]["layers"]
    assert {"deformable", "depthwise", "pointwise", "normalisation"} <= set(layers)
    assert all(kind["seconds"] > 0 and kind["least_seconds"] > 0 and kind["calls"] > 0 for kind in layers.values())
    assert (tmp_path / "profile.svg").read_text(encoding="utf-8").count("<rect") >= 1 + len(known) + len(layers)
    out = tmp_path / "docs" / "speed.md"
    out.parent.mkdir()
    assert cli.main(["benchmark", "--speed", "--page", str(tmp_path), "-o", str(out)]) == 0
    assert (out.parent / "speed_growth.svg").is_file()
    assert (out.parent / "speed_profile.svg").is_file()
    assert out.read_text(encoding="utf-8") == page.replace("growth.svg", "speed_growth.svg").replace(
        "profile", "speed_profile", 1
    )


def test_a_missing_napari_is_a_reason(monkeypatch):
    monkeypatch.setattr(fresh.importlib.util, "find_spec", lambda name: None)
    assert fresh.measure_cold_start() == {"skipped": "napari is not installed"}


def test_outside_a_checkout_the_cold_start_is_not_measured(monkeypatch, tmp_path):
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(fresh, "COLD_START", tmp_path / "cold_start.py")
    assert "installed package" in fresh.measure_cold_start()["skipped"]


def test_threads_are_as_before():
    before = torch.get_num_threads()
    assert command._machine(torch.device("cpu"))["threads"] == before
