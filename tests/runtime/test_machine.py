"""What this computer has, and what a container leaves of it."""

import pytest

from napari_s3net.runtime import machine
from napari_s3net.runtime.machine import cores, free_memory, physical_memory


def test_there_is_no_more_free_than_there_is():
    assert cores() >= 1
    assert 0 < free_memory() <= physical_memory()


def test_free_memory_is_that_of_the_tightest_limit(monkeypatch):
    assert free_memory() > 50 * 2**20
    monkeypatch.setattr(machine, "_left_in_groups", lambda: iter([3 * 2**20]))
    assert free_memory() == 3 * 2**20


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
    assert list(machine._left_in_groups()) == [500]
    (place / files[0]).write_text("max\n", encoding="utf-8")
    assert list(machine._left_in_groups()) == []


def test_no_control_groups_outside_linux(monkeypatch, tmp_path):
    monkeypatch.setattr(machine, "GROUPS", tmp_path / "missing")
    assert list(machine._left_in_groups()) == []
