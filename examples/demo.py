"""Segment the bundled samples from the command line, then open one in napari and press Run.

With a display a napari window opens; without one a picture of the real window is saved, under xvfb.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

OUTPUT = Path("demo-output")


def main() -> int:
    """Run the demo; return the exit code."""
    started = time.perf_counter()
    run = [sys.executable, "-m", "napari_s3net"]
    samples = OUTPUT / "samples"
    subprocess.run([*run, "samples", "-o", samples], check=True)
    images = sorted(p for p in samples.iterdir() if "_mask" not in p.name)
    subprocess.run([*run, "segment", *images, "-o", OUTPUT, "--overlay"], check=True)
    print(f"\nIn {OUTPUT.resolve()}, after {time.perf_counter() - started:.0f} s:")
    for path in sorted(OUTPUT.iterdir()):
        print(f"  {path.name}")
    window = [sys.executable, __file__, "--window"]
    if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or sys.platform in ("darwin", "win32"):
        return subprocess.run(window, check=False).returncode
    picture = OUTPUT / "napari.png"
    if not shutil.which("xvfb-run"):
        print("No display, and no xvfb to take a picture of the window: install the package xvfb.", file=sys.stderr)
        return 1
    xvfb = ["xvfb-run", "--auto-servernum", "--server-args=-screen 0 1366x768x24"]
    code = subprocess.run([*xvfb, *window, "--picture", picture], check=False).returncode
    if code == 0:
        print(f"No display here: a picture of the window is in {picture}")
    return code


def show(picture: str | None) -> None:
    """Open a sample and run the Segment dock on it; with `picture`, save the window there and leave."""
    import napari
    from qtpy.QtCore import QTimer
    from qtpy.QtTest import QTest

    viewer = napari.Viewer()
    viewer.window.resize(1366, 768)
    samples = OUTPUT / "samples"
    image = next(p for p in sorted(samples.iterdir()) if p.name.startswith("dermoscopy") and "_mask" not in p.name)
    viewer.open(image, plugin="napari-s3net")
    _, dock = viewer.window.add_plugin_dock_widget("napari-s3net", "Segment")
    if picture is None:
        QTimer.singleShot(1000, dock.run)
        napari.run()
        return
    viewer.window.show()
    QTest.qWait(1000)
    dock.run()
    until = time.monotonic() + 120
    while dock.session.phase.is_busy and time.monotonic() < until:
        QTest.qWait(100)
    QTest.qWait(1500)
    viewer.reset_view()
    viewer.screenshot(picture, canvas_only=False, flash=False)
    viewer.close()


if __name__ == "__main__":
    if "--window" in sys.argv:
        show(sys.argv[sys.argv.index("--picture") + 1] if "--picture" in sys.argv else None)
    else:
        sys.exit(main())
