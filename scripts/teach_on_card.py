"""Teach the networks that ship with the program, within a limit of time: paint on all cores, learn on the card.

Needs only numpy, scipy, pillow, torch and safetensors, and runs from a bare checkout:

    python scripts/teach_on_card.py OUT --seconds 560

Writes OUT/skin.safetensors and OUT/chest.safetensors (again every half minute while it learns) and OUT/NAME.json with
the losses and the speed.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from dataclasses import asdict, replace
from multiprocessing import get_context
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
START = time.monotonic()


def say(text: str) -> None:
    print(f"{time.monotonic() - START:6.1f} s  {text}", flush=True)


def paint(kind: str, n: int, size: int, folder: Path, workers: int, seconds: float) -> int:
    """Paint until n images are there or the time is up; say how many there are."""
    from napari_s3net.training.synthetic_images import iter_paint

    end, told = time.monotonic() + seconds, 0
    painting = iter_paint(kind, n, size, folder, workers=workers)
    answer: bool | None = None
    while True:
        try:
            done = painting.send(answer)
        except StopIteration as result:
            say(f"{kind}: {len(result.value)} images of {size} × {size} painted")
            return len(result.value)
        answer = time.monotonic() > end
        if done - told >= 2000:
            told = done
            say(f"{kind}: {done} painted")


def load(kind: str, n: int, size: int, folder: Path):
    """The images that are painted by now, as a set."""
    from napari_s3net.training.synthetic_images import iter_paint

    painting = iter_paint(kind, n, size, folder)
    try:
        next(painting)
        painting.send(True)
    except StopIteration as result:
        return result.value
    raise AssertionError("unreachable")


def learn(kind: str, data, seconds: float, out: Path, options: argparse.Namespace) -> None:
    """Measure the speed, choose the number of iterations that fit, learn, and write."""
    import torch

    from napari_s3net.runtime.device import resolve_device
    from napari_s3net.training.synthetic import TeachSettings, card_of, iter_teach
    from napari_s3net.training.weights import save_weights

    device, end = resolve_device(options.device), time.monotonic() + seconds
    torch.backends.cudnn.benchmark = True
    settings = TeachSettings(kind=kind, batch=options.batch, memory=0.999, report=10)
    speeds = {}
    for half in (True, False) if device.type == "cuda" else (False,):
        trial = iter_teach(data, replace(settings, iterations=30, half=half), device)
        speeds[half] = [step.images_per_second for step in trial][-1]
        say(f"{kind}: {speeds[half]:.0f} images a second ({'bfloat16' if half else 'float32'})")
    half = max(speeds, key=lambda key: speeds[key])
    left = end - time.monotonic()
    iterations = options.iterations or max(20, int(0.93 * left * speeds[half] / settings.batch))
    settings = replace(settings, half=half, iterations=iterations, report=max(1, min(100, iterations // 10)))
    say(f"{kind}: {iterations} iterations of {settings.batch} in {left:.0f} s, {len(data)} images")
    steps, written = [], time.monotonic()

    def keep(network, card) -> None:
        save_weights(out / f"{kind}.safetensors", network, card)
        (out / f"{kind}.json").write_text(
            json.dumps({"settings": asdict(settings), "card": card.taught, "steps": steps})
        )

    teaching = iter_teach(data, settings, device)
    answer = None
    while True:
        try:
            step = teaching.send(answer)
        except StopIteration as result:
            keep(*result.value)
            break
        steps.append({"iteration": step.iteration, **step.losses, "images per second": step.images_per_second})
        answer = time.monotonic() > end
        if time.monotonic() - written > 15 or step.iteration == iterations:
            written = time.monotonic()
            keep(step.teacher, card_of(data, settings, step.teacher.config, step.iteration))
            losses = " ".join(f"{name} {value:.4f}" for name, value in step.losses.items())
            say(f"{kind}: {step.iteration}/{iterations} {losses} ({step.images_per_second:.0f}/s)")
    say(f"{kind}: written to {out}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("out", type=Path)
    add("--seconds", type=float, default=560, help="for everything")
    add("--skin-images", type=int, default=48000)
    add("--chest-images", type=int, default=12000)
    add("--paint-share", type=float, default=0.38, help="of the time, at most, for painting skin")
    add("--chest-share", type=float, default=0.2, help="of the time for learning chest")
    add("--size", type=int, default=128)
    add("--batch", type=int, default=128)
    add("--iterations", type=int, help="instead of as many as fit")
    add("--workers", type=int, default=os.cpu_count() or 1)
    add("--device", default="auto")
    add("--cache", type=Path, help="folder for painted images; a temporary one when left out")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    cache = options.cache or Path(tempfile.mkdtemp(prefix="synthetic-"))
    end = START + options.seconds
    shape = (options.skin_images, options.size, cache / "skin")
    paint("skin", *shape, options.workers, options.paint_share * options.seconds)
    chest_shape = (options.chest_images, options.size, cache / "chest")
    chest_seconds = options.chest_share * options.seconds if options.chest_images else 0.0
    skin_seconds = end - time.monotonic() - chest_seconds - 0.02 * options.seconds
    painter = get_context("spawn").Process(
        target=paint, args=("chest", *chest_shape, max(1, options.workers - 1), skin_seconds - 15)
    )
    if options.chest_images:
        painter.start()
    learn("skin", load("skin", *shape), skin_seconds, options.out, options)
    if options.chest_images:
        painter.join(timeout=60)
        learn("chest", load("chest", *chest_shape), end - time.monotonic() - 5, options.out, options)


if __name__ == "__main__":
    main()
