"""A wheel, built and installed into a clean environment: manifest found, samples open, the command runs."""

import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def run(*command: object) -> str:
    done = subprocess.run(
        [str(c) for c in command], capture_output=True, encoding="utf-8", check=False, cwd=Path.home()
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter with only our wheel of its own; what it depends on is borrowed from this environment."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--outdir", folder, ROOT)
    wheel = next(folder.glob("*.whl"))
    venv.create(folder / "env", with_pip=False)
    python = folder / "env" / "bin" / "python"
    site = run(python, "-c", "import site; print(site.getsitepackages()[0])").strip()
    run(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", site, wheel)
    borrowed = run(sys.executable, "-c", "import site; print(site.getsitepackages()[0])").strip()
    (Path(site) / "borrowed.pth").write_text(borrowed, encoding="utf-8")
    return python


def test_the_package_comes_from_the_wheel(python):
    where = run(python, "-c", "import napari_s3net; print(napari_s3net.__file__)")
    assert str(python.parents[1]) in where


def test_manifest_is_found_and_every_command_resolves(python):
    code = """
from npe2 import PluginManager
manager = PluginManager.instance()
manager.discover()
manifest = manager.get_manifest("napari-s3net")
for command in manifest.contributions.commands:
    assert callable(manager.commands.get(command.id)), command.id
print(len(manifest.contributions.commands))
"""
    assert int(run(python, "-W", "ignore", "-c", code)) >= 5


def test_samples_open(python):
    code = """
from npe2 import PluginManager
manager = PluginManager.instance()
manager.discover()
for sample in manager.get_manifest("napari-s3net").contributions.sample_data:
    (layer,) = manager.commands.get(sample.command)()
    print(sample.key, layer[0].shape)
"""
    assert run(python, "-W", "ignore", "-c", code).count("(") == 2


def test_command_line_runs(python, tmp_path):
    out = tmp_path / "samples"
    run(python, "-m", "napari_s3net", "samples", "-o", out)
    assert any(out.iterdir())
    assert "napari-s3net" in run(python, "-m", "napari_s3net", "info")
