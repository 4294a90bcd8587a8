"""Start napari with a sample, run the Segment dock once, and print when each stage was reached.

`napari-s3net benchmark --speed` starts it in a process of its own: `python scripts/cold_start.py TIME`, where TIME is
the moment at which that process was asked for, in seconds since 1970.
"""

from __future__ import annotations

import json
import sys
import time

#: A run that takes longer is given up.
LONGEST = 240.0


def main(started: float) -> None:
    """Go through a first run as a user would, and print the seconds since `started`."""
    stages = {"python": time.time() - started}
    import napari
    from qtpy.QtWidgets import QApplication

    stages["napari imported"] = time.time() - started
    viewer = napari.Viewer()
    QApplication.processEvents()
    stages["window"] = time.time() - started
    viewer.open_sample("napari-s3net", "dermoscopy")
    QApplication.processEvents()
    stages["sample"] = time.time() - started
    _, dock = viewer.window.add_plugin_dock_widget("napari-s3net", "Segment")
    QApplication.processEvents()
    stages["dock"] = time.time() - started
    dock.run_button.click()
    deadline = time.time() + LONGEST
    while time.time() < deadline and (dock.session.phase.is_busy or "first labels" not in stages):
        QApplication.processEvents()
        if dock.session.phase.name == "RUNNING":
            stages.setdefault("first iteration", time.time() - started)
        if len(viewer.layers) > 1:
            stages.setdefault("first labels", time.time() - started)
        time.sleep(0.002)
    stages["result"] = time.time() - started
    sys.stdout.write(json.dumps({"stages": {name: round(value, 3) for name, value in stages.items()}}) + "\n")
    sys.stdout.flush()
    viewer.close()


if __name__ == "__main__":
    main(float(sys.argv[1]))
