import subprocess
import sys

import pytest

from napari_s3net.batch.folder import inside, locked, remove, sweep
from napari_s3net.errors import WriteError


def test_two_runs_refuse_each_other(tmp_path):
    code = (
        "import sys; from pathlib import Path; from napari_s3net.batch.folder import locked\n"
        "with locked(Path(sys.argv[1])): pass"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    with locked(tmp_path):
        done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
        assert done.returncode == 1
        assert "Another run is writing to" in done.stderr
    assert subprocess.run(command, check=False).returncode == 0


@pytest.mark.parametrize("name", ["labels/", "masks/", "report.html", "measurements.csv"])
def test_results_of_somebody_else_are_not_replaced(tmp_path, name):
    (tmp_path / name).mkdir() if name.endswith("/") else (tmp_path / name).touch()
    with pytest.raises(WriteError, match="no earlier results"), locked(tmp_path):
        pass
    assert not (tmp_path / "report.jsonl").exists()


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(WriteError, match="file"), locked(tmp_path / "file"):
        pass


def test_nothing_is_written_outside(tmp_path):
    out = tmp_path / "out"
    (out / "labels").mkdir(parents=True)
    (out / "masks").symlink_to(tmp_path)
    assert inside(out, "labels/sub/..png").name == "..png"
    for path in ("../x.png", "labels/../../x.png", "masks/x.png", "/etc/x.png"):
        with pytest.raises(WriteError, match="outside"):
            inside(out, path)
    (tmp_path / "mine.png").touch()
    remove(out, ["../mine.png", "masks/mine.png", "labels/nothing.png"])
    assert (tmp_path / "mine.png").exists()


def test_only_temporary_names_are_swept(tmp_path):
    half = "." + "0123456789abcdef" * 2
    swept = [f"labels/{half}.png", f"labels/deep/{half}.nii.gz", half, f"settings/{half}.json"]
    kept = [".hidden", "labels/.mine.png", "labels/a.png", "mine/" + half, ".napari-s3net.lock"]
    for name in (*swept, *kept):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    sweep(tmp_path)
    assert [name for name in (*swept, *kept) if (tmp_path / name).exists()] == kept
