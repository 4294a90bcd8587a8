"""What this computer has, and what a container leaves of it."""

from types import SimpleNamespace

import psutil
import pytest

from napari_s3net.runtime import machine
from napari_s3net.runtime.machine import cores, free_memory, physical_memory


def available(monkeypatch, n):
    """Let other programs leave n bytes."""
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=n))


def test_there_is_no_more_free_than_there_is():
    assert cores() >= 1
    assert 0 < free_memory() <= physical_memory()


def test_free_memory_is_that_of_the_tightest_limit(monkeypatch, tmp_path):
    available(monkeypatch, 300)
    for name, left in (("outer", 100), ("outer/inner", 200)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "memory.max").write_text("1000\n", encoding="utf-8")
        (tmp_path / name / "memory.current").write_text(f"{1000 - left}\n", encoding="utf-8")
        (tmp_path / name / "memory.stat").write_text("anon 5\n", encoding="utf-8")
    (tmp_path / "cgroup").write_text("0::/outer/inner\n", encoding="utf-8")
    monkeypatch.setattr(machine, "GROUP_ROOT", tmp_path)
    monkeypatch.setattr(machine, "GROUPS", tmp_path / "cgroup")
    assert free_memory() == 100


@pytest.mark.parametrize(
    ("line", "folder", "files"),
    [
        ("0::/a/b", "a/b", ("memory.max", "memory.current", "inactive_file")),
        ("0::/elsewhere", "", ("memory.max", "memory.current", "inactive_file")),
        ("4:cpu,memory:/a", "memory/a", ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")),
    ],
    ids=["v2", "v2 in a container", "v1"],
)
def test_limits_of_control_groups_count(monkeypatch, tmp_path, line, folder, files):
    place = tmp_path / folder
    place.mkdir(parents=True, exist_ok=True)
    (place / files[0]).write_text("1000\n", encoding="utf-8")
    (place / files[1]).write_text("700\n", encoding="utf-8")
    (place / "memory.stat").write_text(f"anon 5\n{files[2]} 200\n", encoding="utf-8")
    (tmp_path / "cgroup").write_text(f"{line}\n9:name=systemd:/x\n", encoding="utf-8")
    monkeypatch.setattr(machine, "GROUP_ROOT", tmp_path)
    monkeypatch.setattr(machine, "GROUPS", tmp_path / "cgroup")
    available(monkeypatch, 10_000)
    assert free_memory() == 500
    (place / files[0]).write_text("max\n", encoding="utf-8")
    assert free_memory() == 10_000


def test_no_control_groups_outside_linux(monkeypatch, tmp_path):
    monkeypatch.setattr(machine, "GROUPS", tmp_path / "missing")
    available(monkeypatch, 10_000)
    assert free_memory() == 10_000
