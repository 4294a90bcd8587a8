"""Measure the batch: what the engine costs a file, how its memory grows, and what a second job gains.

python scripts/measure_batch.py            both
python scripts/measure_batch.py engine     2,000 photographs, a threshold in place of the network
python scripts/measure_batch.py jobs       40 photographs with the network, one job and two

On a busy machine the times are upper limits; the load is printed beside them.
"""

from __future__ import annotations

import argparse
import importlib
import os
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import psutil

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_s3net.image import Image
    from napari_s3net.result import Segmentation
    from napari_s3net.settings import Settings

ENGINE_SIZE, JOBS_SIZE = (150, 200), (512, 512)


def threshold(image: Image, settings: Settings, _: str) -> Segmentation:
    """In place of the network: what is darker than the mean is the object."""
    from napari_s3net.provenance import Provenance
    from napari_s3net.result import Segmentation

    green = image.array[..., 1]
    labels = np.where(green < green.mean(), 1, 2).astype(np.int32)
    names = {1: "Lesion", 2: "Skin"}
    made = Provenance(settings=settings, version="1", device="cpu", confidence=0.5)
    return Segmentation(labels, (1,), image.geometry, made, names)


def photographs(folder: Path, shape: tuple[int, int], number: int) -> Path:
    """Generated photographs as JPEG files; after a hundred lesions the same ones come again in other places."""
    import PIL.Image

    from napari_s3net.phantom import dermoscopy

    folder.mkdir()
    lesions = [dermoscopy(seed, shape).image.array for seed in range(min(number, 100))]
    for n in range(number):
        moved = np.roll(lesions[n % 100], 5 * (n // 100), axis=(0, 1))
        PIL.Image.fromarray(moved).save(folder / f"{n:05}.jpg", quality=90)
    return folder


@dataclass
class Usage:
    """Seconds of computing, and memory in MiB, of this process and of those it has started, by what they do."""

    computing: dict[str, float]
    memory: dict[str, float]

    @classmethod
    def now(cls) -> Usage:
        me = psutil.Process()
        computing: dict[str, float] = {}
        memory: dict[str, float] = {}
        for process in [me, *me.children(recursive=True)]:
            words = process.cmdline()
            name = "engine" if process == me else "reader" if "napari_s3net.io.child" in words else "worker"
            times = process.cpu_times()
            computing[name] = computing.get(name, 0) + times.user + times.system
            memory[name] = memory.get(name, 0) + process.memory_info().rss / 2**20
        return cls(computing, memory)


def active() -> float:
    """Seconds for which workers have computed, or waited for others to leave them a core (Linux)."""
    workers = [p for p in psutil.Process().children(recursive=True) if "napari_s3net.batch.worker" in p.cmdline()]
    threads = [path for worker in workers for path in Path(f"/proc/{worker.pid}/task").glob("*/schedstat")]
    return sum(int(number) for path in threads for number in path.read_text(encoding="utf-8").split()[:2]) / 1e9


def load() -> str:
    return ", ".join(f"{value:.1f}" for value in os.getloadavg())


def numbers(values: dict[str, float], digits: int = 1) -> str:
    return ", ".join(f"{name} {value:.{digits}f}" for name, value in values.items())


def engine(folder: Path, number: int) -> None:
    """What a file costs besides its segmentation."""
    from napari_s3net.batch import Plan, iter_batch

    me = importlib.import_module(Path(__file__).stem)  # workers import the threshold by the name of its module
    plan = Plan(source=photographs(folder / "in", ENGINE_SIZE, number), output=folder / "out", device="cpu")
    marks: dict[int, tuple[float, Usage]] = {}
    done, warm = 0, min(100, number // 2)
    for row in iter_batch(plan, segmenter=me.threshold):
        if row is not None and row.is_final:
            done += row.status == "done"
            if done in (warm, number):
                marks[done] = time.perf_counter(), Usage.now()
    (begun, first), (_, last) = marks[warm], marks[number]
    each = 1000 / (number - warm)
    computing = {name: each * (last.computing[name] - first.computing[name]) for name in last.computing}
    print(f"{number} photographs of 200 × 150, a threshold for the network; load {load()}")
    print(f"  a file, and its share of the report: {each * (time.perf_counter() - begun):.1f} ms")
    print(f"  computing a file: {sum(computing.values()):.1f} ms ({numbers(computing)})")
    print(f"  MiB after {warm}: {numbers(first.memory)}; after {number}: {numbers(last.memory)}")


def jobs(folder: Path, number: int) -> None:
    """What a second job gains."""
    from napari_s3net.batch import Plan, iter_batch, open_executor

    source = photographs(folder / "photographs", JOBS_SIZE, number)
    print(f"{number} photographs of 512 × 512 with the network, {os.cpu_count()} cores")
    seconds = {}
    for n in (1, 2):
        plan = Plan(source=source, output=folder / f"jobs-{n}", preset="skin", device="cpu")
        waited, begun = load(), time.perf_counter()
        with open_executor(n) as executor:
            ready = time.perf_counter() - begun
            done, first = 0, (0.0, 0.0)
            for row in iter_batch(plan, executor=executor):
                if row is not None and row.is_final:
                    done += row.status == "done"
                    if done == n:
                        first = time.perf_counter(), active()
                    elif done == number - n:
                        share = (active() - first[1]) / (n * (time.perf_counter() - first[0]))
        seconds[n] = time.perf_counter() - begun
        print(f"  {n} at once: {done} done in {seconds[n]:.1f} s, {ready:.1f} s of it to open_executor workers")
        print(f"    workers computing or waiting for a core: {100 * share:.0f} % of the time; load before: {waited}")
    print(f"  speed-up {seconds[1] / seconds[2]:.2f}")


PARTS: dict[str, tuple[Callable[[Path, int], None], int]] = {"engine": (engine, 2000), "jobs": (jobs, 40)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="*", choices=[*PARTS, []], help="what to measure (default both)")
    parser.add_argument("--images", type=int, help="instead of 2,000 and 40")
    options = parser.parse_args()
    for name in options.part or PARTS:
        measure, number = PARTS[name]
        folder = Path(tempfile.mkdtemp(prefix="measure-batch-"))
        try:
            measure(folder, options.images or number)
        finally:
            shutil.rmtree(folder)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    main()
