"""Teach the networks that ship with the program, within a limit of time: paint on all cores, learn on the card.

Needs only numpy, scipy, pillow, torch and safetensors, and runs from a bare checkout:

    python scripts/teach_on_card.py OUT --seconds 425

While the card learns chest, the cores paint skin, and go on painting through the first part of its lesson on skin.
Writes OUT/skin.safetensors and OUT/chest.safetensors (again every quarter of a minute while it learns) and
OUT/NAME.json with the losses and the speed.
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


def fastest(data, settings, device):
    """The way of convolving that is fastest on this card, and its images a second."""
    from napari_s3net.training.synthetic import iter_teach

    speeds = {}
    for matrices in (True, False) if device.type == "cuda" else (True,):
        begun = time.monotonic()
        trial = iter_teach(data, replace(settings, iterations=12, report=4, matrices=matrices), device)
        try:
            speeds[matrices] = [step.images_per_second for step in trial][-1]
        except RuntimeError as error:  # such as too little memory: then the other way
            speeds[matrices] = 0.0
            say(f"{error}"[:300])
        way = "by matrices" if matrices else "by the library"
        say(f"{speeds[matrices]:.0f} images a second {way} (tried for {time.monotonic() - begun:.1f} s)")
    matrices = max(speeds, key=lambda key: speeds[key])
    return replace(settings, matrices=matrices), speeds[matrices]


class Lesson:
    """One kind of image, learned for so many seconds along one cosine, and written every quarter of a minute."""

    def __init__(self, kind: str, settings, speed: float, seconds: float, out: Path, device) -> None:
        self.begun, self.seconds = time.monotonic(), max(seconds, 5.0)
        iterations = max(20, int(self.seconds * speed / settings.batch))
        self.settings = replace(settings, kind=kind, iterations=iterations, report=max(1, min(50, iterations // 20)))
        self.kind, self.out, self.device, self.steps, self.written = kind, out, device, [], self.begun
        self.checkpoint = out / f"{kind}.checkpoint"
        self.checkpoint.unlink(missing_ok=True)

    def along(self, _: int = 0) -> float:
        """Share of the time that is gone."""
        return (time.monotonic() - self.begun) / self.seconds

    def learn(self, data, until: float = 1.0) -> None:
        """Go on with these images until this share of the time is gone."""
        from napari_s3net.training.synthetic import card_of, iter_teach

        say(f"{self.kind}: about {self.settings.iterations} iterations of {self.settings.batch}, {len(data)} images")
        options = {"checkpoint": self.checkpoint, "checkpoint_every": 10**9, "along": self.along}
        teaching, answer = iter_teach(data, self.settings, self.device, **options), None
        while True:
            try:
                step = teaching.send(answer)
            except StopIteration as result:
                self.keep(*result.value)
                return
            self.steps.append({"iteration": step.iteration, **step.losses, "images per second": step.images_per_second})
            answer = self.along() > until
            if time.monotonic() - self.written > 15:
                self.keep(step.average, card_of(data, self.settings, step.average.config, step.iteration))

    def keep(self, network, card) -> None:
        """Write the weights and the losses so far, and say the last."""
        from napari_s3net.training.weights import save_weights

        self.written = time.monotonic()
        save_weights(self.out / f"{self.kind}.safetensors", network, card)
        written = {"settings": asdict(self.settings), "card": card.taught, "steps": self.steps}
        (self.out / f"{self.kind}.json").write_text(json.dumps(written))
        say(f"{self.kind}: " + ", ".join(f"{key} {value:.4g}" for key, value in (self.steps or [{}])[-1].items()))


def learn(kind: str, first, last, first_share: float, settings, speed: float, seconds: float, out, device) -> None:
    """Learn from what `first` gives, then from what `last` gives; more slowly from the latter if it diverges."""
    from napari_s3net.errors import DivergedError

    lesson = Lesson(kind, settings, speed, seconds, out, device)
    try:
        lesson.learn(first(), first_share)
        if lesson.along() < 1:
            lesson.learn(last())
    except DivergedError as error:
        say(f"{kind}: {error}")
        left = (1 - lesson.along()) * lesson.seconds
        slower = replace(settings, learning_rate=settings.learning_rate / 3)
        lesson = Lesson(kind, slower, speed, left, out, device)
        lesson.learn(last())
    lesson.checkpoint.unlink(missing_ok=True)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("out", type=Path)
    add("--seconds", type=float, default=425, help="for everything")
    add("--skin-images", type=int, default=48000, help="at most")
    add("--chest-images", type=int, default=5000, help="at most")
    add("--chest-share", type=float, default=0.17, help="of the time, for learning chest")
    add("--first-share", type=float, default=0.3, help="of the time for skin, with what is painted when it begins")
    add("--size", type=int, default=128)
    add("--batch", type=int, default=256)
    add("--learning-rate", type=float, default=3e-3)
    add("--workers", type=int, default=os.cpu_count() or 1)
    add("--device", default="auto")
    add("--cache", type=Path, help="folder for painted images; a temporary one when left out")
    return parser.parse_args()


def main() -> None:
    options = parse()
    options.out.mkdir(parents=True, exist_ok=True)
    cache = options.cache or Path(tempfile.mkdtemp(prefix="synthetic-"))
    end = START + options.seconds
    skin, chest = ((n, options.size) for n in (options.skin_images, options.chest_images))

    paint("chest", *chest, cache / "chest", options.workers, 0.07 * options.seconds)
    chest_seconds = options.chest_share * options.seconds
    skin_seconds = end - time.monotonic() - chest_seconds - 0.01 * options.seconds
    painting_seconds = chest_seconds + options.first_share * skin_seconds - 4
    painter = get_context("spawn").Process(
        target=paint, args=("skin", *skin, cache / "skin", max(1, options.workers - 1), painting_seconds)
    )
    painter.start()

    from napari_s3net.runtime.device import resolve_device
    from napari_s3net.training.teach_settings import TeachSettings

    device, begun = resolve_device(options.device), time.monotonic()
    data = load("chest", *chest, cache / "chest")
    settings = TeachSettings(kind="chest", batch=options.batch, learning_rate=options.learning_rate, memory=0.999)
    settings, speed = fastest(data, settings, device)
    seconds = chest_seconds - (time.monotonic() - begun)
    learn("chest", lambda: data, lambda: data, 1.0, settings, speed, seconds, options.out, device)

    def painted_so_far():
        return load("skin", *skin, cache / "skin")

    def painted_at_last():
        painter.join(timeout=30)
        return painted_so_far()

    left = end - time.monotonic() - 0.01 * options.seconds
    learn("skin", painted_so_far, painted_at_last, options.first_share, settings, speed, left, options.out, device)


if __name__ == "__main__":
    main()
