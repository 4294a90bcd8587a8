"""Seconds of a CT slice and a photograph while nobody else wants the cores, and beside a job that wants them all.

    python scripts/busy_laptop.py [--turns 3] [--ways "all cores"] [--page docs/busy.md]

Each way of choosing torch's threads has a process of its own; they take turns, quiet and busy, in one run, so that
only the ratios count. The busy job spins on as many threads as there are cores. The page also says whether all ways
give the same labels. OMP_NUM_THREADS has to be unset: it is an upper limit for all of them.
"""

from __future__ import annotations

import argparse
import json
import os
import select
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
#: What is compared: what is done before torch is loaded, and the environment.
WAYS = {
    "as the program does": ("", {"OMP_WAIT_POLICY": "passive"}),
    "all cores": ("threads.SMALL = 0", {}),
    "all cores, passive": ("threads.SMALL = 0", {"OMP_WAIT_POLICY": "passive"}),
}
IMAGES = ("ct", "photograph", "large")
#: Seconds after which a run is given up and counted as so long.
PATIENCE = 40.0
WORDS = """\
The program computes images up to a working size of 256 × 256 with one thread; larger ones, and learning, with
all cores, whose threads wait asleep ("passive"). "All cores" is what torch does by itself. "Large", where it
was measured, is the photograph at a working size of 512. "Quiet" is what others leave: where their load is
above 1, even the quiet columns are measured beside them.

One thread is slower than all cores where nobody else wants them, by what the quiet columns show. It stays: with
another number of threads sums are taken in another order and pixels change their label (last line), so that a
label would depend on the machine and on what else it does; and another program may begin in the midst of a run.
The command line, its child processes, and the plugin where torch is not loaded yet ask for threads that wait
asleep (`OMP_WAIT_POLICY=passive`, unless it is set already)."""
CHILD = """
import hashlib, json, sys, time
import numpy as np
from napari_s3net.runtime import threads
{before}
from napari_s3net import phantom, segment
from napari_s3net.settings import presets
ct, photograph, skin = phantom.chest_ct(seed=0).image, phantom.dermoscopy(seed=0).image, presets["skin"].settings
images = dict(ct=(ct, presets["ct-lung"].settings), photograph=(photograph, skin),
              large=(photograph, skin.replace(working_size=512)))
for image, settings in images.values():
    segment(image, settings=settings, seed=0, device="cpu")
print("warm", flush=True)
for line in sys.stdin:
    image, settings = images[line.strip()]
    started = time.perf_counter()
    labels = segment(image, settings=settings, seed=0, device="cpu").labels
    seconds = time.perf_counter() - started
    file = "{folder}/" + hashlib.sha256(labels.tobytes()).hexdigest()[:12] + ".npy"
    np.save(file, labels)
    print(json.dumps([seconds, file]), flush=True)
"""


def start(folder: str, before: str, environment: dict[str, str]) -> subprocess.Popen[str]:
    """A process that segments what it is told, with its own way of choosing threads."""
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", CHILD.format(before=before, folder=folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
    )


def ask(child: subprocess.Popen[str], name: str) -> tuple[float, str]:
    """Seconds of one run in a child, and the file with its labels; a child that takes too long is ended for good."""
    if child.poll() is not None:
        return PATIENCE, ""
    child.stdin.write(f"{name}\n")
    child.stdin.flush()
    if not select.select([child.stdout], [], [], PATIENCE)[0]:
        child.kill()
        child.wait()
        return PATIENCE, ""
    seconds, file = json.loads(child.stdout.readline())
    return seconds, file


def measure(
    turns: int, ways: list[str], images: list[str], folder: str
) -> tuple[dict[str, dict[str, float]], dict[str, set[str]]]:
    """Median seconds of each way, image and state of the machine; and the files with the labels of each image."""
    children = {}
    for way in ways:
        children[way] = start(folder, *WAYS[way])
        children[way].stdout.readline()  # it is warm
    found: dict[tuple[str, str], list[float]] = {}
    files: dict[str, set[str]] = {name: set() for name in images}
    try:
        for state, jobs in (("quiet", 0), ("busy", os.cpu_count() or 1)):
            others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(jobs)]
            try:
                for _ in range(turns):
                    for way, child in children.items():
                        for name in images:
                            seconds, file = ask(child, name)
                            found.setdefault((way, f"{name} {state}"), []).append(seconds)
                            files[name] |= {file} - {""}
            finally:
                for job in others:
                    job.kill()
                    job.wait()
    finally:
        for child in children.values():
            child.kill()
    table: dict[str, dict[str, float]] = {}
    for (way, column), seconds in found.items():
        table.setdefault(way, {})[column] = statistics.median(seconds)
    return table, files


def page(table: dict[str, dict[str, float]], differing: dict[str, int], load: float) -> str:
    """The table in Markdown: seconds, and busy as a multiple of quiet."""
    columns = [f"{name} {state}" for name in differing for state in ("quiet", "busy")]
    lines = [
        "# Beside another program",
        "",
        "Made by `python scripts/busy_laptop.py --page docs/busy.md`.",
        f"Median seconds of one run, at most {PATIENCE:.0f}.",
        f"{os.cpu_count()} cores; load of the machine by others before the first run: {load:.1f}.",
        "",
        WORDS,
        "",
        f"| threads | {' | '.join(columns)} | {' | '.join(f'{name}, busy : quiet' for name in differing)} |",
        f"|---|{'---:|' * (len(columns) + len(differing))}",
    ]
    for way, row in table.items():
        ratios = [row[f"{name} busy"] / row[f"{name} quiet"] for name in differing]
        cells = [f"{row[column]:.2f}" for column in columns] + [f"{ratio:.1f}" for ratio in ratios]
        lines.append(f"| {way} | {' | '.join(cells)} |")
    pixels = ", ".join(f"{name} {n}" for name, n in differing.items())
    lines += ["", f"Pixels whose label is not the same in all runs: {pixels}.", ""]
    return "\n".join(lines)


def most_differing(labels: list[NDArray[np.int32]]) -> int:
    """The largest number of pixels in which one of some results differs from the first."""
    return max((int((labels[0] != other).sum()) for other in labels), default=0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--ways", nargs="*", choices=WAYS, default=list(WAYS))
    parser.add_argument("--images", nargs="*", choices=IMAGES, default=list(IMAGES))
    parser.add_argument("--page", type=Path)
    asked = parser.parse_args()
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    with tempfile.TemporaryDirectory() as folder:
        table, files = measure(asked.turns, asked.ways, asked.images, folder)
        differing = {name: most_differing([np.load(file) for file in found]) for name, found in files.items()}
    text = page(table, differing, load)
    print(text)
    if asked.page:
        asked.page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
