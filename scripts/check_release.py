"""Build wheel and source distribution, install them in clean environments, and press Run in each.

    python scripts/check_release.py [--only NAME]

The oldest and the newest napari that pyproject.toml declares, each with PyQt6 and PySide6; one of them from the source
distribution. A machine without a display needs xvfb. Nothing of this checkout is on the path of what is started.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
#: The exact release of torch that the tests run with.
TORCH = "torch==2.13.0"
#: Of PySide6 6.12.0 no program with a window lives long on Python 3.11: docs/pyside_references.py.
PYSIDE = "PySide6!=6.12.0"
#: What is installed beside the package, and which of the two files it comes from.
ENVIRONMENTS = {
    "oldest-pyqt6": ("napari==0.7.0", "PyQt6", "*.whl"),
    "oldest-pyside6": ("napari==0.7.0", PYSIDE, "*.whl"),
    "newest-pyqt6": ("napari", "PyQt6", "*.tar.gz"),
    "newest-pyside6": ("napari", PYSIDE, "*.whl"),
}
#: Seconds that a run on a sample may take before it is given up.
PATIENCE = 240


def main() -> int:
    """Check each environment; the exit code is the number of those that failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=ENVIRONMENTS, help="one environment")
    parser.add_argument("--press-run", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.press_run:
        return press_run()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        subprocess.run(
            [sys.executable, "-m", "build", "-o", place / "dist", HERE], check=True, stdout=subprocess.DEVNULL
        )
        failed = [name for name in ENVIRONMENTS if asked.only in (None, name) and not works(name, place)]
    print(f"failed: {', '.join(failed)}" if failed else "all work")
    return len(failed)


def works(name: str, place: Path) -> bool:
    """Whether the package does its work in one environment, which is made and removed here."""
    napari, qt, pattern = ENVIRONMENTS[name]
    home = place / name
    venv.create(home, with_pip=True)
    python = home / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    (built,) = (place / "dist").glob(pattern)
    clean = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"} | {
        "QT_API": qt.partition("!")[0].lower()
    }
    window = ["xvfb-run", "-a", "-s", "-screen 0 1366x768x24"] if shutil.which("xvfb-run") else []
    script = shutil.copy(__file__, place / "check_release.py")
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", TORCH, built, napari, qt]
    done = all(
        subprocess.run(command, env=clean, cwd=place, check=False).returncode == 0
        for command in (install, [*window, python, script, "--press-run"])
    )
    print(f"{name}: {'works' if done else 'FAILED'}", flush=True)
    shutil.rmtree(home)
    return done


def press_run() -> int:
    """In a clean environment: open the sample, press Run, and look whether there is an object; 0 where there is."""
    import napari
    import qtpy
    from qtpy.QtTest import QTest

    import napari_s3net

    viewer = napari.Viewer()
    viewer.open_sample("napari-s3net", "dermoscopy")
    _, dock = viewer.window.add_plugin_dock_widget("napari-s3net", "Segment")
    QTest.qWait(500)
    dock.run_button.click()
    end = time.monotonic() + PATIENCE
    while dock.session.phase.is_busy and time.monotonic() < end:
        QTest.qWait(100)
    labels = viewer.layers[-1]
    found = len(viewer.layers) == 2 and bool(labels.metadata["napari_s3net"]["foreground"])
    share = f"{dock.panel.line.text()!r}" if found else "no object"
    print(f"  napari {napari.__version__}, {qtpy.API_NAME}, napari-s3net {napari_s3net.__version__}: {share}")
    viewer.close()
    return int(not found)


if __name__ == "__main__":
    sys.exit(main())
