"""Three ways through the program by real clicks and keys, counted, each as a film of one picture a click.

    xvfb-run -a -s "-screen 0 1366x768x24" python scripts/ten_clicks.py [photograph] [volume] [folder]

From an empty napari to the mask of a photograph that is saved, to a corrected CT volume, and to a folder that is
reviewed; each in at most ten. A click on what is not in view is an error, so that the count is a person's. Writes the
films to docs/pictures, and of the ways that were gone docs/tutorials/ten-clicks.md.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import docs_figures
import napari
from docs_pictures import look, make_volume, run_apart, settle, wait_until, window, write_photographs
from PIL import Image, ImageDraw
from qtpy.QtCore import QPoint, Qt, QTimer
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QFileDialog, QLineEdit, QMenu, QWidget

from napari_s3net import phantom
from napari_s3net.io import write_png
from napari_s3net.plugin.jobs.thread_job import is_busy

MOST, WIDTH = 10, 910
PAGE = Path(__file__).resolve().parents[1] / "docs" / "tutorials" / "ten-clicks.md"
HEAD = """# In ten clicks

Made by `scripts/ten_clicks.py`, which drives a real window by its mouse and keys and counts: every click, key and drag
is one, and typing a name is one. From an empty napari, with nothing set up.
"""


class Hand:
    """Clicks and presses keys in a window, counts them, and keeps a picture after each."""

    def __init__(self, viewer: napari.Viewer) -> None:
        self.viewer, self.done, self.film = viewer, list[str](), [look(viewer)]

    def _count(self, words: str, at: QPoint | None = None) -> None:
        """One more; the picture has a ring where the mouse was."""
        self.done.append(words)
        print(f"{len(self.done):2d} {words}", flush=True)
        settle(0.5)
        picture = look(self.viewer)
        if at is not None:
            here = self.viewer.window._qt_window.mapFromGlobal(at)
            ImageDraw.Draw(picture).ellipse(
                (here.x() - 14, here.y() - 14, here.x() + 14, here.y() + 14), None, "red", 4
            )
        self.film.append(picture)

    def click(self, part: QWidget, words: str) -> None:
        """Click in the middle of a part that is in view."""
        middle = part.rect().center()
        if not part.isEnabled() or not part.visibleRegion().contains(middle):
            raise RuntimeError(f"{words}: it is not in view, or cannot be clicked")
        at = part.mapToGlobal(middle)
        QTest.mouseClick(part, Qt.MouseButton.LeftButton, pos=middle)
        self._count(words, at)

    def menu(self, *names: str) -> None:
        """Open a menu, go along its submenus, and click what is at their end."""
        menus = self.viewer.window._qt_window.menuBar()
        first = next(one for one in menus.actions() if one.text().replace("&", "") == names[0])
        QTest.mouseClick(menus, Qt.MouseButton.LeftButton, pos=menus.actionGeometry(first).center())
        self._count(f"menu *{names[0]}*")
        within: QMenu = first.menu()
        for name in names[1:]:
            action = next(one for one in within.actions() if name in one.text())
            if action.menu() is None:
                QTest.mouseClick(within, Qt.MouseButton.LeftButton, pos=within.actionGeometry(action).center())
            else:
                within.setActiveAction(action)  # as under a mouse that rests there
                within = action.menu()
                wait_until(within.isVisible, 10)
        settle(1.0)
        self._count(" › ".join(f"*{name}*" for name in names))

    def choose_file(self, path: Path, part: QWidget, words: str) -> None:
        """Click what asks for a file or folder, and type its name with Enter."""

        def answer() -> None:
            dialog = next(
                one for one in QApplication.topLevelWidgets() if isinstance(one, QFileDialog) and one.isVisible()
            )
            line = dialog.findChild(QLineEdit)
            QTest.keyClicks(line, str(path))
            QTest.keyClick(line, Qt.Key.Key_Return)

        QTimer.singleShot(1500, answer)
        self.click(part, words)
        settle(1.0)
        self._count("the file's name, and Enter")

    def type_into(self, field: QWidget, text: str, words: str) -> None:
        """Double-click a field, which selects what is in it, and type."""
        line = field.findChild(QLineEdit)
        QTest.mouseClick(line, Qt.MouseButton.LeftButton, pos=line.rect().center())
        line.selectAll()
        QTest.keyClicks(line, text)
        QTest.keyClick(line, Qt.Key.Key_Return)
        self._count(words, line.mapToGlobal(line.rect().center()))

    def wait(self, is_so: Callable[[], object]) -> None:
        """Wait for what a click began; the last picture is what has come of it."""
        wait_until(lambda: is_so() and not is_busy())
        settle(1.0)
        self.film[-1] = look(self.viewer)


def dock_of(kind: str) -> Any:
    """One of the plugin's docks, once it is there."""
    found = [one for one in QApplication.allWidgets() if type(one).__name__ == kind and one.isVisible()]
    return found[-1]


def segment(hand: Hand, path: Path) -> Any:
    """Open the Segment dock and in it a file, and press Run."""
    hand.menu("Plugins", "S³-Net", "Segment")
    dock = dock_of("SegmentDock")
    hand.choose_file(path, dock.welcome.open, "*Open image…*")
    wait_until(lambda: dock.source is not None)
    hand.click(dock.run_button, "*Run*")
    hand.wait(lambda: not dock.session.phase.is_busy)
    return dock


def photograph(hand: Hand, folder: Path) -> None:
    """A photograph, to its mask on the disk."""
    write_png(folder / "photo.png", phantom.dermoscopy(seed=0).image.array)
    dock = segment(hand, folder / "photo.png")
    hand.click(dock.panel.save, "*Save*")
    wait_until(lambda: list(folder.glob("*_mask.*")), 60)


def volume(hand: Hand, folder: Path) -> None:
    """A CT volume; gas that was taken for lung is removed from the slice in view; to the mask on the disk."""
    make_volume(folder / "chest.nii.gz", gas=True)
    dock = segment(hand, folder / "chest.nii.gz")
    hand.click(dock.panel.correct, "*Correct…*")
    correct = dock_of("CorrectDock")
    hand.type_into(correct.tools.smallest.native, "4000", "the field beside *Remove <*, and the size")
    hand.click(correct.tools.buttons["remove_small"], "*Remove <*")
    hand.click(correct.paint.save, "*Save*")
    wait_until(lambda: list(folder.glob("*_mask.*")), 60)


def folder(hand: Hand, place: Path) -> None:
    """A folder of photographs, segmented and looked through."""
    write_photographs(place / "photos", n=3)
    hand.menu("Plugins", "S³-Net", "Batch")
    dock = dock_of("BatchDock")
    hand.choose_file(place / "photos", dock.form.source.choose_btn.native, "*Input*")
    wait_until(lambda: dock.form.has_folders and not dock._scan.is_on)
    hand.click(dock.start_button, "*Start*")
    hand.wait(lambda: dock.job is None)
    hand.click(dock.review_button, "*Review*")
    settle(2.0)
    for _ in range(3):
        hand.click(dock.panel.buttons["accept"], "*Accept*")
        hand.wait(lambda: True)


WAYS = {"photograph": photograph, "volume": volume, "folder": folder}


def show(name: str) -> list[str]:
    """Go one way, and keep its film; what was done."""
    with tempfile.TemporaryDirectory() as place, window() as viewer:
        hand = Hand(viewer)
        WAYS[name](hand, Path(place))
        hand.film.append(look(viewer))
    if len(hand.done) > MOST:
        raise RuntimeError(f"{name} takes {len(hand.done)} clicks")
    size = WIDTH, round(WIDTH * hand.film[0].height / hand.film[0].width)
    small = [frame.resize(size, Image.Resampling.LANCZOS) for frame in hand.film]
    docs_figures.save_animation(f"clicks-{name}", small, 1500, colours=96)
    return hand.done


def main(names: list[str]) -> None:
    """Go each way that is named, or all."""
    page = HEAD
    for name in names or WAYS:
        done = show(name)
        title = (WAYS[name].__doc__ or "").rstrip(".")
        page += f"\n## {title}: {len(done)}\n\n" + "\n".join(f"{n}. {words}" for n, words in enumerate(done, 1))
        page += f"\n\n![Each click of: {title.lower()}](../pictures/clicks-{name}.gif)\n"
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    if "NAPARI_CONFIG" not in os.environ:
        sys.exit(run_apart())
    main(sys.argv[1:])
