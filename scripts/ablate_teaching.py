"""Teach small networks with one thing left out at a time, and measure each on images with masks.

    python scripts/ablate_teaching.py OUT SET… [--page PAGE.md] [--one-image BENCHMARK_OUT…] [--folder] [--device cuda]

SET is a folder with images/ and masks/. Every network has the same small budget: 1,600 synthetic photographs of 64 × 64
pixels (other numbers where they are what is varied), 600 updates of 16, on one core ten minutes, on a card less than
one. With --folder each network of the paper's ideas takes the place of the shipped ones in folder mode, which is fitted
on each SET anew. Masks are looked at when scores are computed, at no other time. Resumable: what OUT/results.json and
OUT/folder.json hold is not computed again.
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
import torch.nn.functional as F

from napari_s3net.benchmark.cases import find_pairs, true_mask
from napari_s3net.benchmark.methods import ABLATIONS
from napari_s3net.foreground.lesion import score_lesions
from napari_s3net.io import read_image
from napari_s3net.labels.metrics import best_clusters, dice
from napari_s3net.network.encoder_decoder import EncoderDecoder, EncoderDecoderConfig
from napari_s3net.phantom.skin_record import SkinRecord, draw_skin_record
from napari_s3net.phantom.synthetic_skin import SKIN_PARTS, synthetic_skin
from napari_s3net.postprocessing.postprocess import postprocess
from napari_s3net.preprocessing.prepare import prepare
from napari_s3net.runtime.generators import drain
from napari_s3net.settings import preset_settings
from napari_s3net.training.initial_clusters import initial_clusters
from napari_s3net.training.linear_scorer import fit_scorer, sample_from
from napari_s3net.training.synthetic import iter_teach
from napari_s3net.training.synthetic_images import SyntheticSet
from napari_s3net.training.taught import predict
from napari_s3net.training.teach_settings import TeachSettings
from napari_s3net.training.weights import ModelCard, load_weights, save_weights

SIZE, IMAGES, UPDATES, BATCH, SEEDS = 64, 1600, 600, 16, 3
#: What is measured of a network.
VIEWS = ("object", "best clusters")
#: What is varied, and its heading on the page.
GROUPS = {
    "ideas": "The ideas of the paper",
    "generator": "The parts of the generator",
    "number of images": "The number of synthetic images",
    "size": "The size of the network",
}
HEAD = f"""# What each idea and each part brings

Made by `python scripts/ablate_teaching.py OUT SET… --folder --page docs/benchmark-ablations.md`, not by hand.

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


FOLDER = """Folder mode, fitted on all images of a set without their masks: one of these networks in the place of
the shipped ones, k-means clusters in the place of trained ones. What is fitted is a linear scorer, which has none of
the ideas itself; they are in the network that it learns from. Mean Dice of the labels at full size."""

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
        image = read_image(pair.image)
        mask = true_mask(pair, image)
        probability, clusters = predict(network, card, image.array)
        labels = clusters.argmax(axis=0)
        rows, columns = (np.arange(n) * len(labels) // n for n in mask.shape)
        labels = labels[rows][:, columns] + 1
        scores["object"].append(dice(probability > 0.5, mask))
        scores["best clusters"].append(dice(np.isin(labels, best_clusters(labels.astype(np.int32), mask)), mask))
    return scores


def fit_and_measure(networks: Mapping[str, Path], folder: Path) -> Iterator[tuple[str, list[float]]]:
    """Fit folder mode on a set with each network in the place of the shipped ones: Dice of each image, at full size.

    Candidates do not depend on the network, so they are made once.
    """
    settings = preset_settings("skin")
    pairs = find_pairs(folder)
    images = [read_image(pair.image) for pair in pairs]
    masks = [true_mask(pair, image) for pair, image in zip(pairs, images, strict=True)]
    planes = [prepare(image, settings) for image in images]
    clusters = [initial_clusters(plane.features, settings.clusters)[0] for plane in planes]
    candidates = [score_lesions(own, plane.features) for own, plane in zip(clusters, planes, strict=True)]
    for name, path in networks.items():
        network, card = load_weights(path)
        views = [predict(network, card, image.array)[0][None] for image in images]
        samples = [sample_from(own, view) for own, view in zip(candidates, views, strict=True) if len(own.masks)]
        scorer = fit_scorer(samples)
        scores = []
        for image, plane, own, view, labels, mask in zip(
            images, planes, candidates, views, clusters, masks, strict=True
        ):
            proposal = own.elect(plane.features.shape, scorer.score(own), view)
            one_hot = F.one_hot(torch.from_numpy(labels), settings.clusters).permute(2, 0, 1)[None].float()
            result = postprocess(image, plane, one_hot, proposal, settings)
            scores.append(dice(np.isin(result.labels, result.foreground), mask))
        yield name, scores


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


def folder_table(found: Mapping[str, Mapping[str, list[float]]], names: list[str]) -> str:
    """The table of folder mode, from what `fit_and_measure` gave for each set, by "variant/seed"."""
    as_results = {
        key: {each: {"object": found[each][key]} for each in names}
        for key in found[names[0]]
        if all(key in found[each] for each in names)
    }
    rows = (_row(name, as_results, names, ("object",)) for name, v in VARIANTS.items() if v.group == "ideas")
    lines = ["## Fitting a folder", "", FOLDER, "", *_head(names, ("object",)), *filter(None, rows)]
    return "\n".join(lines) + "\n"


def _head(names: list[str], views: tuple[str, ...] = VIEWS) -> list[str]:
    """The head of a table."""
    columns = ["taught with", "seeds", *names, *views]
    return [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]


def _row(name: str, results: Mapping[str, Any], names: list[str], views: tuple[str, ...] = VIEWS) -> str:
    """Mean Dice on each set, and the differences to everything, seed by seed and image by image; empty if not done."""
    seeds = [seed for seed in range(VARIANTS[name].seeds) if f"{name}/{seed}" in results]
    if not seeds:
        return ""
    means = [float(np.mean([results[f"{name}/{seed}"][each]["object"] for seed in seeds])) for each in names]
    gaps = []
    for view in views:
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


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path)
    parser.add_argument("sets", type=Path, nargs="+")
    parser.add_argument("--page", type=Path)
    parser.add_argument("--one-image", type=Path, nargs="+", default=[], help="outputs of benchmark --ablations")
    parser.add_argument("--folder", action="store_true", help="fit folder mode with each network of the ideas as well")
    parser.add_argument("--device", default="cpu", help="where to teach: cpu or cuda")
    return parser.parse_args()


def main() -> None:
    asked = parse()
    torch.set_num_threads(1)
    asked.output.mkdir(parents=True, exist_ok=True)
    file = asked.output / "results.json"
    results: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    folder_file = asked.output / "folder.json"
    fitted: dict[str, dict[str, list[float]]] = json.loads(folder_file.read_text()) if folder_file.exists() else {}
    names = [each.name for each in asked.sets]

    def write_page() -> None:
        whole = {key: found for key, found in results.items() if set(names) <= set(found)}
        if asked.page and whole:
            parts = [page(whole, names), *([one_image(asked.one_image)] if asked.one_image else [])]
            parts += [folder_table(fitted, names)] if set(names) <= set(fitted) else []
            asked.page.write_text("\n".join(parts), encoding="utf-8")

    write_page()
    for name, seed in runs():
        done = results.setdefault(f"{name}/{seed}", {})
        missing = [folder for folder in asked.sets if folder.name not in done]
        if not missing:
            continue
        network, card = teach(name, seed, weights_of(asked.output, name, seed), torch.device(asked.device))
        for folder in missing:
            done[folder.name] = measure(network, card, folder)
        _write(file, results)
        text = {each: f"{np.mean(done[each]['object']):.3f}" for each in done}
        print(f"{name}, seed {seed}: {text}", flush=True)
        write_page()
    for folder in asked.sets if asked.folder else ():
        _fit_folder(folder, asked.output, fitted, folder_file)
    write_page()


def _fit_folder(folder: Path, output: Path, fitted: dict[str, dict[str, list[float]]], file: Path) -> None:
    """Fit folder mode on a set with each network of the ideas that was not fitted there before."""
    done = fitted.setdefault(folder.name, {})
    ideas = [(name, seed) for name, seed in runs() if VARIANTS[name].group == "ideas"]
    networks = {f"{name}/{seed}": weights_of(output, name, seed) for name, seed in ideas}
    for key, scores in fit_and_measure({k: path for k, path in networks.items() if k not in done}, folder):
        done[key] = scores
        _write(file, fitted)
        print(f"{folder.name}, folder mode, {key}: {np.mean(scores):.4f}", flush=True)


def weights_of(output: Path, name: str, seed: int) -> Path:
    """The file with the weights of a run."""
    return output / f"{name.replace(' ', '-').replace(',', '')}-{seed}.safetensors"


def _write(file: Path, found: Mapping[str, Any]) -> None:
    """Write JSON in one step, so that a run that is cut off leaves the file before."""
    beside = file.with_suffix(".new")
    beside.write_text(json.dumps(found), encoding="utf-8")
    beside.replace(file)


if __name__ == "__main__":
    main()
