"""Every picture of the documentation, from the real program on synthetic images: windows here, figures in docs_figures.

    xvfb-run -a -s "-screen 0 1366x768x24" python scripts/docs_pictures.py [NAME …]

A window is driven as a person would: a sample is opened, a dock's button is pressed, a stroke is painted. `make
docs-pictures` runs this; nothing is kept but what stands in docs/pictures.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import Any

import docs_figures
import napari
import numpy as np
from PIL import Image
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication
from scipy import ndimage

from napari_s3net import phantom
from napari_s3net.image import Geometry
from napari_s3net.image import Image as Scan
from napari_s3net.io import write_image, write_png
from napari_s3net.phantom.synthetic_skin import synthetic_skin
from napari_s3net.plugin.jobs.thread_job import is_busy
from napari_s3net.plugin.widgets.dock import show_dock

#: Of the window; and of the pictures at most.
SIZE, WIDTH = (1366, 768), 1024
#: Steps of learning; and which of the photographs is left for what was learned.
LEARNED, LEFT = 20, 3
NOTEBOOK = Path(__file__).resolve().parents[1] / "examples" / "photograph.ipynb"


# -- driving a window


@contextmanager
def window() -> Iterator[napari.Viewer]:
    """A napari window of a small laptop's size."""
    viewer = napari.Viewer(show=True)
    viewer.window.resize(*SIZE)
    settle()
    try:
        yield viewer
    finally:
        viewer.close()
        settle()


def settle(seconds: float = 0.4) -> None:
    """Let the window do what it has to."""
    QTest.qWait(int(1000 * seconds))


def wait_until(is_so: Callable[[], object], seconds: float = 600) -> None:
    """Let the window work until something is so."""
    end = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > end:
            raise TimeoutError("the window has not come so far")
        QTest.qWait(50)


def open_dock(viewer: napari.Viewer, name: str) -> Any:
    """Open one of the plugin's docks, as its menu does."""
    widget = show_dock(viewer, name)
    settle()
    return widget


def run(dock: Any) -> None:
    """Press Run and wait for the result."""
    dock.run_button.click()
    wait_until(lambda: not dock.session.phase.is_busy and not is_busy())
    settle(0.8)


def place(viewer: napari.Viewer, row: float, column: float) -> QPoint:
    """Where a pixel of the plane in view lies on the canvas."""
    canvas = viewer.window._qt_viewer.canvas.native
    camera = getattr(viewer, "scene", viewer).camera
    world = (p * s for p, s in zip((row, column), viewer.layers[0].scale[-2:], strict=True))
    down, right = ((p - c) * camera.zoom for p, c in zip(world, camera.center[-2:], strict=True))
    return QPoint(round(canvas.width() / 2 + right), round(canvas.height() / 2 + down))


def paint(viewer: napari.Viewer, *points: tuple[float, float]) -> None:
    """A stroke of the brush that is chosen, with the mouse."""
    canvas = viewer.window._qt_viewer.canvas.native
    QTest.mouseMove(canvas, place(viewer, *points[0]))
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=place(viewer, *points[0]))
    for point in points[1:]:
        QTest.mouseMove(canvas, place(viewer, *point))
        QApplication.processEvents()
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=place(viewer, *points[-1]))
    settle()


def look(viewer: napari.Viewer) -> Image.Image:
    """The whole window as it is now."""
    settle()
    return Image.fromarray(viewer.screenshot(canvas_only=False, flash=False)).convert("RGB")


# -- what is shown


def photograph() -> None:
    """The sample photograph after Run."""
    with window() as viewer:
        viewer.open_sample("napari-s3net", "dermoscopy")
        run(open_dock(viewer, "Segment"))
        viewer.reset_view()
        save("segment-photograph", look(viewer))


def correct() -> None:
    """A synthetic photograph on which the proposal is too wide, mended by two strokes; and all of it as a film."""
    with tempfile.TemporaryDirectory() as folder, window() as viewer:
        path = Path(folder) / "photo.png"
        write_png(path, synthetic_skin(5009, 384).array)
        viewer.open(path, plugin="napari-s3net")
        segment = open_dock(viewer, "Segment")
        viewer.reset_view()
        film = [look(viewer)]
        run(segment)
        film.append(look(viewer))
        dock = open_dock(viewer, "Correct")
        dock.brush.take("background")
        dock.editor.strokes.layer.brush_size = 16
        film.append(look(viewer))
        paint(viewer, (200, 84), (225, 94), (250, 114), (262, 140))
        paint(viewer, (120, 262), (150, 266), (180, 262), (210, 246))
        film.append(look(viewer))
        save("correct-stroke", film[-1])
        dock.paint.rerun.click()
        wait_until(lambda: not dock.background.running)
        film.append(look(viewer))
        save("correct-after", film[-1])
    small = [frame.resize((910, 512), Image.Resampling.LANCZOS) for frame in film]
    docs_figures.save_animation("film", small, 1800, colours=128)


def ct_slice() -> None:
    """The sample slice of CT after Run."""
    with window() as viewer:
        viewer.open_sample("napari-s3net", "chest_ct")
        dock = open_dock(viewer, "Segment")
        run(dock)
        save("segment-ct", look(viewer))


#: Middle and radius of gas in the stomach, in pixels of a slice; and its Hounsfield units.
GAS, GAS_RADIUS, GAS_UNITS = (205, 300), 36, -870


def make_volume(path: Path, slices: int = 9, *, gas: bool = False) -> None:
    """A synthetic chest CT: the sample slice, its lungs smaller towards both ends, 5 mm apart.

    On request a stomach full of gas has slipped into the chest: by its Hounsfield units and its size it could be lung.
    """
    sample = phantom.chest_ct(seed=0)
    array, lungs = sample.image.array.astype(np.float32), sample.mask
    depth = ndimage.distance_transform_edt(lungs)
    tissue = np.where(lungs, 40, array)
    planes = []
    for z in range(slices):
        shrink = 26 * abs(2 * z / (slices - 1) - 1) ** 2
        plane = np.where(depth > shrink, array, tissue)
        radius = GAS_RADIUS * np.sqrt(max(0.0, 1 - ((z - (slices - 1) / 2) / (slices / 2)) ** 2))
        inside = np.hypot(*(np.indices(plane.shape) - np.reshape(GAS, (2, 1, 1)))) < radius
        noise = np.random.default_rng(z).normal(0, 20, plane.shape)
        planes.append(np.where(gas & inside, GAS_UNITS + noise, plane))
    spacing = (5.0, *sample.image.geometry.spacing)
    geometry = replace(Geometry.identity(3), spacing=spacing, unit="mm")
    write_image(path, Scan(np.stack(planes).astype(np.int16), geometry, "ct", path.name))


def ct_volume() -> None:
    """A volume after Run, and its lungs in three dimensions."""
    with tempfile.TemporaryDirectory() as folder, window() as viewer:
        path = Path(folder) / "chest.nii.gz"
        make_volume(path)
        viewer.open(path, plugin="napari-s3net")
        dock = open_dock(viewer, "Segment")
        run(dock)
        save("segment-volume", look(viewer))


def write_photographs(photos: Path, masks: Path | None = None, n: int = 6) -> None:
    """Synthetic photographs to fill a folder with, and their masks to learn from."""
    for seed in range(n):
        made = synthetic_skin(40 + seed, 256)
        write_png(photos / f"photo{seed:02d}.png", made.array)
        if masks is not None:
            write_png(masks / f"photo{seed:02d}_mask.png", 255 * made.mask.astype(np.uint8))


def batch() -> None:
    """A folder that was worked through, and its review."""
    with tempfile.TemporaryDirectory() as folder, window() as viewer:
        write_photographs(Path(folder) / "photos")
        dock = open_dock(viewer, "Batch")
        dock.form.source.value, dock.form.output.value = Path(folder) / "photos", Path(folder) / "results"
        dock._scan_folders()
        wait_until(lambda: not dock._scan.is_on)
        dock.start()
        wait_until(lambda: dock.job is None and not is_busy())
        save("batch", look(viewer))
        dock.review_button.click()
        settle(1.5)
        save("review", look(viewer))


def learn() -> None:
    """The Learn dock with nine of ten images corrected, while it trains, and with what was learned on the tenth."""
    with tempfile.TemporaryDirectory() as folder, window() as viewer:
        photos, masks = Path(folder) / "photos", Path(folder) / "labels"
        write_photographs(photos, masks, n=10)
        new = sorted(photos.iterdir())[LEFT]
        next(masks.glob(f"{new.stem}*")).unlink()
        viewer.open(new, plugin="napari-s3net")
        dock = open_dock(viewer, "Learn")
        dock.form.images.value, dock.form.labels.value = photos, masks
        dock._scan_folders()
        wait_until(lambda: dock.labelled is not None)
        save("learn", look(viewer))
        dock.form.steps.value = LEARNED
        dock.train_button.click()
        wait_until(lambda: f"{LEARNED // 2:,} of" in dock.line.text())
        save("learn-training", look(viewer))
        wait_until(lambda: dock.job is None)
        dock.apply_button.click()
        wait_until(lambda: dock.job is None)
        save("learn-applied", look(viewer))


def notebook() -> None:
    """What the cells of the notebook show and print."""
    names: dict[str, Any] = {}
    for number, cell in enumerate(json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]):
        if cell["cell_type"] != "code":
            continue
        code, printed = "".join(cell["source"]), io.StringIO()
        before, _, last = code.rpartition("\n")
        shows = last.startswith("Image.")
        with redirect_stdout(printed):
            exec(before if shows else code, names)  # noqa: S102 - our own notebook
        if shows:
            save(f"notebook-{number}", eval(last, names), width=512)  # noqa: S307
        if printed.getvalue():
            (docs_figures.PICTURES / f"notebook-{number}.txt").write_text(printed.getvalue(), encoding="utf-8")


def save(name: str, picture: Image.Image, width: int = WIDTH) -> None:
    """Write a picture, at most so many pixels wide."""
    if picture.width > width:
        picture = picture.resize((width, round(width * picture.height / picture.width)), Image.Resampling.LANCZOS)
    docs_figures.save(name, picture, colours=128)


PICTURES = {f.__name__.replace("_", "-"): f for f in (photograph, correct, ct_slice, ct_volume, batch, learn, notebook)}


def main(names: list[str]) -> None:
    """Make the pictures that are named; all, and all figures, where none is."""
    for name, make in PICTURES.items():
        if not names or name in names:
            make()
    if not names:
        docs_figures.main()


def run_apart() -> int:
    """Run this again with settings and sessions of its own: those of this machine's user show in no picture."""
    with tempfile.TemporaryDirectory() as home:
        places = {"NAPARI_CONFIG": f"{home}/settings.yaml", "XDG_DATA_HOME": home, "XDG_CONFIG_HOME": home}
        return subprocess.run([sys.executable, *sys.argv], env={**os.environ, **places}, check=False).returncode


if __name__ == "__main__":
    if "NAPARI_CONFIG" not in os.environ:
        sys.exit(run_apart())
    main(sys.argv[1:])
