"""Teach small networks with one thing left out at a time, and measure each on images with masks.

    python scripts/ablate_teaching.py OUT SET… [--page PAGE.md] [--one-image BENCHMARK_OUT…] [--device cuda]

SET is a folder with images/ and masks/. Every network has the same small budget: 1,600 synthetic photographs of 64 × 64
pixels (other numbers where they are what is varied), 600 updates of 16, on one core ten minutes, on a card less than
one. Masks are looked at when scores are computed, at no other time. Resumable: what OUT/results.json holds is not
computed again.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch

from napari_s3net.benchmark.cases import find_pairs, read_mask
from napari_s3net.benchmark.methods import ABLATIONS
from napari_s3net.io import read_image
from napari_s3net.labels.metrics import best_clusters, dice
from napari_s3net.network.encoder_decoder import EncoderDecoder, EncoderDecoderConfig
from napari_s3net.phantom.skin_record import SkinRecord, draw_skin_record
from napari_s3net.phantom.synthetic_skin import SKIN_PARTS, synthetic_skin
from napari_s3net.runtime.generators import drain
from napari_s3net.training.synthetic import iter_teach
from napari_s3net.training.synthetic_images import SyntheticSet
from napari_s3net.training.taught import predict
from napari_s3net.training.teach_settings import TeachSettings
from napari_s3net.training.weights import ModelCard, load_weights, save_weights

SIZE, IMAGES, UPDATES, BATCH, SEEDS = 64, 1600, 600, 16, 3
#: What is varied, and its heading on the page.
GROUPS = {
    "ideas": "The ideas of the paper",
    "generator": "The parts of the generator",
    "number of images": "The number of synthetic images",
    "size": "The size of the network",
}
HEAD = f"""# What each idea and each part brings

Made by `python scripts/ablate_teaching.py OUT SET… --page docs/benchmark-ablations.md`, not by hand.

Networks taught on synthetic photographs with one thing left out at a time, all with the same small budget:
{IMAGES:,} images of {SIZE} × {SIZE} pixels and {UPDATES} updates of {BATCH}, where nothing else is said. Mean Dice on
sets of real photographs of the network alone, threshold 0.5, at full size. No network has seen a real image, and masks
are looked at when scores are computed. The last two columns are the difference to what was taught with everything and
the same seeds, mean of the sets, of the object and of the clusters that fit the mask best, with the 95 % bootstrap
interval over images. It says nothing of another seed: {{spread}} What is smaller than that and has one seed only
shows nothing."""


@dataclass(frozen=True)
class Variant:
    """One way to teach: what differs from the full one."""

    group: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    images: int = IMAGES
    changed: Callable[[SkinRecord], SkinRecord] = lambda record: record
    seeds: int = 1


ONE_IMAGE = """The program as it ships, the clusters of each image learned with one idea left out; {seeds} seeds. Mean
Dice of the proposed object, and of the clusters that fit the mask best, which is an upper bound. *random start*:
nothing but the image itself is used."""


def _without(**values: Any) -> Callable[[SkinRecord], SkinRecord]:
    return lambda record: replace(record, **values)


VARIANTS: Mapping[str, Variant] = {
    "everything": Variant("ideas", seeds=SEEDS),
    "no attention": Variant("ideas", config={"attention": False}, seeds=SEEDS),
    "0.34 M parameters": Variant("size", config={"widths": (16, 32, 64, 104)}),
    "no deformable layer": Variant("ideas", config={"deformable": False}, seeds=SEEDS),
    "no transformation loss": Variant("ideas", {"weight_transformation": 0.0}, seeds=SEEDS),
    "no spatial loss": Variant("ideas", {"weight_spatial": 0.0}, seeds=SEEDS),
    "no hairs": Variant("generator", changed=_without(hairs=0)),
    "no ink, stickers, rulers": Variant("generator", changed=_without(ink=0, stickers=0, rulers=0)),
    "no marks of a pen": Variant("generator", changed=_without(marks=0), seeds=SEEDS),
    "no bubbles, glare, gel": Variant("generator", changed=_without(bubbles=0, glare=0, gel=0.0)),
    "no dark frames": Variant("generator", changed=_without(frame="none")),
    "no further naevi, freckles": Variant("generator", changed=_without(naevi=0, freckles=0)),
    "no uneven light": Variant("generator", changed=_without(vignette=0.0, unevenness=0.0)),
    "no colour cast": Variant("generator", changed=_without(white_balance=(1.0, 1.0, 1.0), gamma=1.0, saturation=1.0)),
    "no blur, noise, JPEG, video": Variant("generator", changed=_without(blur=0.0, noise=0.0, jpeg=0, video=False)),
    "200 images": Variant("number of images", images=200),
    "600 images": Variant("number of images", images=600),
    "4,800 images": Variant("number of images", images=4800),
    "1.3 M parameters": Variant("size", config={"widths": (32, 64, 128, 208)}),
}


def runs() -> Iterator[tuple[str, int]]:
    """Name and seed of each run: the paper's ideas first, which have more seeds than one."""
    for ideas in (True, False):
        for seed in range(SEEDS):
            for name, variant in VARIANTS.items():
                if (variant.group == "ideas") == ideas and seed < variant.seeds:
                    yield name, seed


def paint(variant: Variant, seed: int) -> SyntheticSet:
    """The images that a variant learns from; seeds share none."""
    first = 1_000_000 * (seed + 1)
    painted = [
        synthetic_skin(first + i, SIZE, record=variant.changed(draw_skin_record(first + i)))
        for i in range(variant.images)
    ]
    return SyntheticSet(
        np.stack([each.array for each in painted]),
        np.stack([each.mask for each in painted]).astype(np.uint8),
        np.stack([each.parts for each in painted]),
    )


def teach(name: str, seed: int, path: Path, device: torch.device) -> tuple[EncoderDecoder, ModelCard]:
    """Teach one network, or read the one that was taught."""
    if path.exists():
        return load_weights(path)
    variant = VARIANTS[name]
    settings = TeachSettings(iterations=UPDATES, batch=BATCH, memory=0.99, seed=seed, **variant.settings)
    config = EncoderDecoderConfig(in_channels=3, clusters=len(SKIN_PARTS), **variant.config)
    network, card = drain(iter_teach(paint(variant, seed), settings, device, config=config))
    save_weights(path, network, card)
    return network.cpu(), card


def measure(network: EncoderDecoder, card: ModelCard, folder: Path) -> dict[str, list[float]]:
    """Dice of each image of a set: of the object at 0.5, and of the clusters that fit the mask best."""
    scores: dict[str, list[float]] = {"object": [], "best clusters": []}
    for pair in find_pairs(folder):
        array, mask = read_image(pair.image).array, read_mask(pair.mask)
        probability, clusters = predict(network, card, array)
        labels = clusters.argmax(axis=0)
        rows, columns = (np.arange(n) * len(labels) // n for n in mask.shape)
        labels = labels[rows][:, columns] + 1
        scores["object"].append(dice(probability > 0.5, mask))
        scores["best clusters"].append(dice(np.isin(labels, best_clusters(labels.astype(np.int32), mask)), mask))
    return scores


def page(results: Mapping[str, Any], names: list[str]) -> str:
    """The page for the docs, in Markdown: a table for each group of variants."""
    seeds = [results[f"everything/{seed}"] for seed in range(SEEDS) if f"everything/{seed}" in results]
    means = [float(np.mean([np.mean(one[each]["object"]) for each in names])) for one in seeds]
    spread = f"taught with everything the mean of the sets is {', '.join(f'{mean:.3f}' for mean in means)}."
    parts = [HEAD.replace("{spread}", spread)]
    for group, heading in GROUPS.items():
        members = ["everything", *(name for name, v in VARIANTS.items() if v.group == group and name != "everything")]
        rows = filter(None, (_row(name, results, names) for name in members))
        parts.append("\n".join([f"## {heading}", "", *_head(names), *rows]))
    return "\n\n".join(parts) + "\n"


def one_image(outputs: list[Path]) -> str:
    """What each idea is worth on one image alone, from summaries of `napari-s3net benchmark SET -o OUT --ablations`."""
    summaries = [json.loads((output / "summary.json").read_text(encoding="utf-8")) for output in outputs]
    columns = ["left out", *(s["set"] for s in summaries), *(f"{s['set']}, clusters" for s in summaries)]
    lines = ["## On one image alone", "", ONE_IMAGE.format(seeds=summaries[0]["methods"]["s3net"]["seeds"])]
    lines += [f"The first {summaries[0]['images']} images of each set.", ""]
    lines += [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    for name in ("s3net", *ABLATIONS):
        cells = [
            f"{s['methods'][name][view]['dice_mean']:.3f}"
            for view in ("label_free", "best_clusters")
            for s in summaries
        ]
        lines.append(
            f"| {name.removeprefix('s3net:').replace('-', ' ').replace('s3net', 'nothing')} | {' | '.join(cells)} |"
        )
    return "\n".join(lines) + "\n"


def _head(names: list[str]) -> list[str]:
    """The head of a table."""
    columns = ["taught with", "seeds", *names, "object", "best clusters"]
    return [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]


def _row(name: str, results: Mapping[str, Any], names: list[str]) -> str:
    """Mean Dice on each set, and the differences to everything, seed by seed and image by image; empty if not done."""
    seeds = [seed for seed in range(VARIANTS[name].seeds) if f"{name}/{seed}" in results]
    if not seeds:
        return ""
    means = [float(np.mean([results[f"{name}/{seed}"][each]["object"] for seed in seeds])) for each in names]
    gaps = []
    for view in ("object", "best clusters"):
        pairs = [(results[f"{name}/{seed}"], results[f"everything/{seed}"]) for seed in seeds]
        gaps.append([np.mean([np.subtract(m[each][view], f[each][view]) for m, f in pairs], 0) for each in names])
    cells = [name, str(len(seeds)), *(f"{mean:.3f}" for mean in means), *map(_interval, gaps)]
    return f"| {' | '.join(cells)} |"


def _interval(gaps: list[np.ndarray]) -> str:
    """Mean over the sets of the mean difference, with a bootstrap interval over images."""
    if not any(np.any(gap) for gap in gaps):
        return "–"
    rng = np.random.default_rng(0)
    drawn = [np.mean([rng.choice(gap, len(gap)).mean() for gap in gaps]) for _ in range(2000)]
    low, high = np.percentile(drawn, (2.5, 97.5))
    return f"{np.mean([gap.mean() for gap in gaps]):+.3f} [{low:+.3f}, {high:+.3f}]"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path)
    parser.add_argument("sets", type=Path, nargs="+")
    parser.add_argument("--page", type=Path)
    parser.add_argument("--one-image", type=Path, nargs="+", default=[], help="outputs of benchmark --ablations")
    parser.add_argument("--device", default="cpu", help="where to teach: cpu or cuda")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    asked.output.mkdir(parents=True, exist_ok=True)
    file = asked.output / "results.json"
    results: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    names = [each.name for each in asked.sets]

    def write_page() -> None:
        whole = {key: found for key, found in results.items() if set(names) <= set(found)}
        if asked.page and whole:
            parts = [page(whole, names), *([one_image(asked.one_image)] if asked.one_image else [])]
            asked.page.write_text("\n".join(parts), encoding="utf-8")

    write_page()
    for name, seed in runs():
        done = results.setdefault(f"{name}/{seed}", {})
        missing = [folder for folder in asked.sets if folder.name not in done]
        if not missing:
            continue
        path = asked.output / f"{name.replace(' ', '-').replace(',', '')}-{seed}.safetensors"
        network, card = teach(name, seed, path, torch.device(asked.device))
        for folder in missing:
            done[folder.name] = measure(network, card, folder)
        beside = file.with_suffix(".new")
        beside.write_text(json.dumps(results), encoding="utf-8")
        beside.replace(file)
        text = {each: f"{np.mean(done[each]['object']):.3f}" for each in done}
        print(f"{name}, seed {seed}: {text}", flush=True)
        write_page()


if __name__ == "__main__":
    main()
