"""Figures of docs/how-it-works.md, each made by the program itself from synthetic images; `make docs-pictures` runs it.

python scripts/docs_figures.py [NAME …]
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage
from skimage.segmentation import find_boundaries

from napari_s3net import phantom, refine, segment
from napari_s3net.correction.constraints import BACKGROUND, OBJECT
from napari_s3net.labels.metrics import dice
from napari_s3net.network.losses import edge_weights
from napari_s3net.network.warps import WarpRange, draw_theta, make_grid, warp
from napari_s3net.phantom.synthetic_skin import synthetic_skin
from napari_s3net.preprocessing.prepare import prepare
from napari_s3net.settings import Settings, preset_settings
from napari_s3net.training.loop import iterate
from napari_s3net.training.variants import make_trainer

PICTURES = Path(__file__).resolve().parents[1] / "docs" / "pictures"
CPU = torch.device("cpu")
#: Width of one picture of a row, the gap between two, and the room for the words below.
SIDE, GAP, WORDS = 250, 10, 40
INK, PAPER, ACCENT = "#22303c", "#ffffff", "#0a74d8"

Picture = NDArray[np.uint8]


# -- drawing


def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """A font that is there wherever Pillow is."""
    return ImageFont.load_default(size)


def enlarge(array: NDArray[Any], width: int = SIDE, *, smooth: bool = False) -> Image.Image:
    """An array of colours or shares from 0 to 1 as a picture of this width."""
    if array.dtype != np.uint8:
        array = (255 * np.clip(array, 0, 1)).round().astype(np.uint8)
    picture = Image.fromarray(array).convert("RGB")
    height = round(width * picture.height / picture.width)
    return picture.resize((width, height), Image.Resampling.BICUBIC if smooth else Image.Resampling.NEAREST)


def row(panels: Sequence[tuple[Image.Image, str]]) -> Image.Image:
    """Pictures side by side, each with its words below."""
    height = max(picture.height for picture, _ in panels)
    sheet = Image.new("RGB", (sum(p.width + GAP for p, _ in panels) - GAP, height + WORDS), PAPER)
    draw, left = ImageDraw.Draw(sheet), 0
    for picture, words in panels:
        sheet.paste(picture, (left, 0))
        draw.multiline_text((left + 2, height + 4), words, fill=INK, font=font(13), spacing=3)
        left += picture.width + GAP
    return sheet


def heat(values: NDArray[np.floating]) -> NDArray[np.floating]:
    """From 0 to 1 to colours: dark blue, teal, yellow, white."""
    stops = np.array([[0.05, 0.07, 0.2], [0.1, 0.45, 0.55], [0.98, 0.8, 0.25], [1, 1, 1]])
    place = np.clip(values, 0, 1) * (len(stops) - 1)
    low = np.minimum(place.astype(int), len(stops) - 2)
    share = (place - low)[..., None]
    return (1 - share) * stops[low] + share * stops[low + 1]


def stretched(values: NDArray[np.floating]) -> NDArray[np.floating]:
    """To 0 at the second percentile and 1 at the 98th."""
    low, high = np.percentile(values, (2, 98))
    return np.clip((values - low) / max(high - low, 1e-9), 0, 1)


def painted(labels: NDArray[np.integer], colours: NDArray[np.floating]) -> NDArray[np.floating]:
    """Each cluster in the mean colour of its pixels, with thin dark borders."""
    if labels.shape != colours.shape[:2]:
        labels = ndimage.zoom(labels, np.divide(colours.shape[:2], labels.shape), order=0)
    picture = np.zeros_like(colours)
    for label in np.unique(labels):
        here = labels == label
        picture[here] = colours[here].mean(axis=0)
    return np.where(find_boundaries(labels, mode="inner")[..., None], 0.55 * picture, picture)


def outlined(image: Picture, mask: NDArray[np.bool_], colour: Sequence[int] = (255, 214, 0)) -> Picture:
    """The image with the object's outline, two pixels wide."""
    rim = ndimage.binary_dilation(find_boundaries(mask, mode="inner"))
    return np.where(rim[..., None], np.array(colour, np.uint8), image)


# -- what is shown


class Trained:
    """A network trained on the sample photograph, and what its layers said in the last iteration."""

    def __init__(self, iterations: int, **changes: Any) -> None:
        self.image = phantom.dermoscopy(seed=0).image
        self.settings: Settings = preset_settings("skin").replace(max_iter=iterations, **changes)
        self.plane = prepare(self.image, self.settings)
        self.colours = self.plane.features
        self.trainer = make_trainer(self.plane.features, self.settings, CPU)
        self.said: dict[str, NDArray[Any]] = {}
        network: Any = self.trainer.network
        self._listen("gate", network.encoder[0].body[2].mix)
        self._listen("places", network.head[0].predict)
        self.frames: list[NDArray[np.int64]] = []
        training = iterate(self.trainer, iterations, keep_state=True)
        while True:
            try:
                self.frames.append(next(training).clusters[0].numpy().copy())
            except StopIteration as end:
                self.result = end.value[0]
                return

    def _listen(self, name: str, layer: torch.nn.Module) -> None:
        """Keep the answer to the image itself, not that to a window of its transformed copy."""

        def keep(_layer: Any, _given: Any, answer: torch.Tensor) -> None:
            if tuple(answer.shape[2:]) == self.colours.shape[:2]:
                self.said[name] = answer[0].detach().float().numpy()

        layer.register_forward_hook(keep)


def attention() -> Image.Image:
    """Where the first attention block lets features through, and how far each of its branches sees."""
    trained = Trained(8)
    gate = np.abs(trained.said["gate"]).mean(axis=0)
    panels = [
        (enlarge(trained.colours, smooth=True), "what the network sees"),
        (enlarge(heat(stretched(gate))), "how strongly attention\nlets each pixel through"),
        (reach(), "what one pixel listens to: three\nbranches, up to 23 by 23 pixels"),
    ]
    return row(panels)


def reach() -> Image.Image:
    """The pixels that the three branches combine for the one in the middle."""
    from napari_s3net.network.attention import BRANCHES

    size = 27
    grid = np.full((size, size, 3), 0.96)
    for (kernel, step), colour in zip(
        BRANCHES[::-1], ((0.1, 0.45, 0.85), (0.95, 0.6, 0.1), (0.8, 0.15, 0.2)), strict=True
    ):
        half = kernel // 2 * step
        places = size // 2 + np.arange(-half, half + 1, step)
        grid[np.ix_(places, places)] = colour
    height = round(SIDE * 0.75)
    picture = Image.new("RGB", (SIDE, height), PAPER)
    picture.paste(enlarge(grid, height - height % size), ((SIDE - height) // 2, 0))
    return picture


def offsets() -> Image.Image:
    """Where the nine taps of the deformable layer look, at a few pixels."""
    trained = Trained(40, min_labels=2)
    places = trained.said["places"][:18].reshape(9, 2, *trained.colours.shape[:2])
    h, w = trained.colours.shape[:2]
    width = 2 * SIDE + GAP
    zoom = width / w
    picture = enlarge(0.35 + 0.65 * trained.colours, width, smooth=True)
    draw = ImageDraw.Draw(picture)
    for y in range(8, h - 4, 14):
        for x in range(8, w - 4, 14):
            for tap in range(9):
                start = np.array([y + tap // 3 - 1, x + tap % 3 - 1], float)
                end = start + places[tap, :, y, x]
                (y0, x0), (y1, x1) = (zoom * (start + 0.5), zoom * (end + 0.5))
                draw.line((x0, y0, x1, y1), fill=ACCENT, width=1)
                draw.ellipse((x1 - 1.5, y1 - 1.5, x1 + 1.5, y1 + 1.5), fill="#b00020")
    length = np.hypot(places[:, 0], places[:, 1])
    size = stretched(length.mean(axis=0))
    return row(
        [
            (picture, "each red dot is one of the nine places a pixel looks at; the line shows how far it moved"),
            (enlarge(heat(size)), "how far the places move:\nbright is far"),
        ]
    )


def transformed_pair() -> Image.Image:
    """The image and its warped copy, and what the network says of both."""
    trained = Trained(6)
    generator = torch.Generator().manual_seed(3)
    theta = draw_theta(WarpRange(), trained.colours.shape[:2], generator)
    x = trained.trainer.full.x
    grid = make_grid(theta, x)
    with torch.no_grad():
        answer = trained.trainer.network(warp(x, grid))[0].softmax(dim=1)
        asked = warp(trained.trainer.network(x)[0].softmax(dim=1), grid)
    colours = torch.from_numpy(trained.colours.transpose(2, 0, 1)[None])
    turned = warp(colours, grid)[0].numpy().transpose(1, 2, 0)
    differ = 0.5 * (answer - asked).abs().sum(dim=1)[0].numpy()
    return row(
        [
            (enlarge(trained.colours, smooth=True), "the image"),
            (enlarge(turned, smooth=True), "a copy: turned, scaled,\nsheared, shifted, mirrored"),
            (enlarge(painted(answer.argmax(dim=1)[0].numpy(), turned)), "clusters of the copy"),
            (enlarge(heat(differ)), "where they differ from the image's\nclusters, moved the same way"),
        ]
    )


def spatial() -> Image.Image:
    """Where labels may change for free, and what the spatial loss takes away."""
    with_term, without = Trained(30, min_labels=2), Trained(30, min_labels=2, weight_spatial=0.0)
    down, right = edge_weights(with_term.trainer.full.x)
    edges = 0.5 * (down[0, 0, :, :-1] + right[0, 0, :-1]).numpy()
    return row(
        [
            (enlarge(with_term.colours, smooth=True), "the image"),
            (enlarge(heat(1 - edges)), "edges: where it is bright, labels\nmay change without a price"),
            (enlarge(painted(without.result.clusters, without.colours)), "clusters without the spatial loss"),
            (enlarge(painted(with_term.result.clusters, with_term.colours)), "clusters with it"),
        ]
    )


def generated() -> Image.Image:
    """Synthetic photographs that the taught network has learned from, beside the sample, with their masks."""
    sample = phantom.dermoscopy(seed=0)
    side = 150
    made = [synthetic_skin(seed, 150) for seed in (3, 8, 12, 17, 21, 29)]
    pictures = [enlarge(outlined(one.array, one.mask), side, smooth=True) for one in made]
    middle = sample.image.array.shape[1] // 2, sample.image.array.shape[0] // 2
    half = min(middle)
    square = np.s_[middle[1] - half : middle[1] + half, middle[0] - half : middle[0] + half]
    framed = enlarge(outlined(sample.image.array, ndimage.binary_dilation(sample.mask))[square], side, smooth=True)
    words = ["the sample", *("learned from" for _ in made)]
    return row(list(zip([framed, *pictures], words, strict=True)))


def correction() -> Image.Image:
    """A result, two strokes, and what becomes of it."""
    from skimage.draw import line

    sample = phantom.dermoscopy(seed=0)
    array = sample.image.array
    result = segment(sample.image, preset="skin", seed=0)
    rows, columns = np.nonzero(sample.mask)
    cut = sample.mask & (np.arange(array.shape[1]) < np.percentile(columns, 70))
    labels = np.where(cut, result.foreground[0], np.where(result.mask, 0, result.labels))
    labels[(labels == 0)] = next(i for i in result.names if i not in result.foreground)
    wrong = replace(result, labels=labels.astype(np.int32), foreground=result.foreground[:1], image=sample.image)
    strokes = np.zeros(array.shape[:2], np.int32)
    y, x = int(np.median(rows)), int(np.percentile(columns, 84))
    for value, (y0, x0, y1, x1) in ((OBJECT, (y - 55, x, y + 50, x)), (BACKGROUND, (20, 30, 20, 90))):
        strokes[line(y0, x0, y1, x1)] = value
    strokes = ndimage.grey_dilation(strokes, size=(7, 7))
    better = refine(wrong, strokes)
    shown = outlined(array, wrong.mask)
    shown[strokes == OBJECT], shown[strokes == BACKGROUND] = (0, 200, 255), (230, 60, 60)
    return row(
        [
            (enlarge(outlined(array, wrong.mask), smooth=True), "a third of it is missing"),
            (enlarge(shown, smooth=True), "a stroke of object (blue),\none of background (red)"),
            (enlarge(outlined(array, better.mask), smooth=True), "after Re-run"),
        ]
    )


def failures() -> Image.Image:
    """Synthetic photographs on which the proposal is wrong: the truth in green, the proposal in yellow."""
    panels = []
    for seed, words in (
        (5000, "a pale one"),
        (5015, "cut by the edge"),
        (5021, "beside other things"),
        (5008, "a dot"),
    ):
        made = synthetic_skin(seed, 192)
        result = segment(made.array, preset="skin", seed=0)
        picture = outlined(outlined(made.array, made.mask, (0, 200, 90)), result.mask)
        figure = f"Dice {dice(result.mask, made.mask):.2f}" if made.mask.any() else "no lesion"
        panels.append(
            (enlarge(picture, 200, smooth=True), f"{words}: {figure},\nsaid to expect {result.confidence:.2f}")
        )
    return row(panels)


FIGURES: dict[str, Callable[[], Image.Image]] = {
    "attention": attention,
    "offsets": offsets,
    "transformed-pair": transformed_pair,
    "spatial": spatial,
    "generated": generated,
    "correction": correction,
    "failures": failures,
}


def clusters_over_iterations() -> list[Image.Image]:
    """One frame an iteration: the clusters in their mean colours."""
    trained = Trained(40, min_labels=2, clusters=16)
    frames = []
    for number, clusters in enumerate(trained.frames, start=1):
        words = f"iteration {number}: {len(np.unique(clusters))} clusters"
        frames.append(
            row(
                [
                    (enlarge(trained.colours, smooth=True), "the image"),
                    (enlarge(painted(clusters, trained.colours)), words),
                ]
            )
        )
    return frames


def save(name: str, picture: Image.Image, colours: int = 256) -> None:
    """Write a picture with so many colours, which is small."""
    path = PICTURES / f"{name}.png"
    picture.convert("RGB").quantize(colours, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(
        path, optimize=True
    )
    print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")


def save_animation(name: str, frames: Sequence[Image.Image], milliseconds: int = 180, colours: int = 96) -> None:
    """Write frames as a GIF of one palette; the last one stays for two seconds more."""
    palette = frames[-1].quantize(colours, Image.Quantize.MEDIANCUT)
    small = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    path = PICTURES / f"{name}.gif"
    times = [milliseconds] * (len(small) - 1) + [milliseconds + 2000]
    small[0].save(path, save_all=True, append_images=small[1:], duration=times, loop=0, optimize=True)
    print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB, {len(small)} frames")


def main(names: Sequence[str] = ()) -> None:
    """Make the figures that are named; all where none is."""
    PICTURES.mkdir(exist_ok=True)
    for name, figure in FIGURES.items():
        if not names or name in names:
            save(name, figure())
    if not names or "clusters" in names:
        save_animation("clusters", clusters_over_iterations())


if __name__ == "__main__":
    main(sys.argv[1:])
