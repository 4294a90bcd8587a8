import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.helpers import run

WRONG = [
    (["--preset", "skim"], "skim"),
    (["--seed", "-3"], "seed"),
    (["--seed", "many"], "--seed"),
    (["--set", "clusters=many"], "clusters"),
    (["--set", "clusters=1000"], "clusters"),
    (["--set", "colour=1"], "colour"),
    (["--set", "clusters"], "key=value"),
    (["--settings", "nowhere.json"], "nowhere.json"),
    (["--device", "abacus"], "abacus"),
    (["--unknown"], "--unknown"),
]


@pytest.mark.parametrize(("words", "named"), WRONG)
def test_wrong_use_is_2_and_one_line(runs, photo, tmp_path, capsys, words, named):
    assert run("segment", photo, "-o", tmp_path / "out", *words) == 2
    err = capsys.readouterr().err
    assert named in err
    assert err.count("\n") == 1
    assert not runs


@pytest.mark.parametrize("words", [[], ["segment"], ["segmemt"], ["segment", "a.png"], ["samples"]])
def test_incomplete_commands_are_2_and_one_line(capsys, words):
    assert run(*words) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_reader_that_leaves_early_is_no_error():
    command = f"{sys.executable} -m napari_s3net settings | head -1"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("command", ["settings", "info"])
def test_a_full_disk_is_one_line(command):
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(
            [sys.executable, "-m", "napari_s3net", command],
            stdout=full, stderr=subprocess.PIPE, encoding="utf-8", check=False,
        )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.startswith("napari-s3net: Cannot write to the standard output: No space left on device.")
    assert done.stderr.count("\n") == 1


def test_help_is_light():
    code = "import sys, napari_s3net.cli as c; c.main(['segment', '--help']); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert not {"torch", "numpy", "SimpleITK", "scipy", "skimage", "tqdm"} & set(done.stderr.split())
    assert "--overlay" in done.stdout


def test_a_terminal_that_lacks_letters():
    done = subprocess.run(
        [sys.executable, "-m", "napari_s3net", "settings"],
        capture_output=True,
        encoding="utf-8",
        check=False,
        env={"PYTHONIOENCODING": "ascii"},
    )
    assert done.returncode == 0, done.stderr
    assert "0 to 180 ?" in done.stdout
