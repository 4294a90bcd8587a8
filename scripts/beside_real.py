"""Paint generated images beside real ones, to see what the generator lacks.

    python scripts/beside_real.py KIND FOLDER PICTURE.png [--images 60]

KIND is skin or chest; FOLDER holds real images. The picture shows real images and is not for the docs.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Picture

from napari_s3net.io import read_image
from napari_s3net.training.synthetic_images import paint_source_of

COLUMNS = 10


def generated(kind: str, n: int, size: int) -> list[NDArray[np.uint8]]:
    """Images (S, S, 3) of the generator, from seeds that no shipped network was taught on."""
    source = paint_source_of(kind)
    return [_coloured(source.paint(500_000_000 + seed, size)[0]) for seed in range(n)]


def real(kind: str, folder: Path, n: int, size: int) -> list[NDArray[np.uint8]]:
    """Images (S, S, 3) of a folder, evenly spaced, in the range that the network is given."""
    source = paint_source_of(kind)
    files = sorted(file for file in folder.iterdir() if file.is_file())
    if not files:
        raise SystemExit(f"{folder} has no files. Expected a folder of images.")
    shown = []
    for file in files[:: max(1, len(files) // n)][:n]:
        array = (read_image(file).array.astype(np.float32) - source.low) / (source.high - source.low)
        picture = Picture.fromarray(_coloured((255 * np.clip(array, 0, 1)).astype(np.uint8)))
        shown.append(np.asarray(picture.resize((size, size))))
    return shown


def _coloured(array: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """An image of one channel or three as one of three."""
    return np.broadcast_to(array.reshape(*array.shape[:2], -1), (*array.shape[:2], 3))


def _tiled(images: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Images in rows."""
    missing = -len(images) % COLUMNS
    tiles = [*images, *[np.zeros_like(images[0])] * missing]
    rows = [np.concatenate(tiles[i : i + COLUMNS], axis=1) for i in range(0, len(tiles), COLUMNS)]
    return np.concatenate(rows)


def main() -> None:
    """Write the picture: generated images above, real ones below a white line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=("skin", "chest"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--images", type=int, default=60)
    parser.add_argument("--size", type=int, default=96)
    asked = parser.parse_args()
    above = _tiled(generated(asked.kind, asked.images, asked.size))
    below = _tiled(real(asked.kind, asked.folder, asked.images, asked.size))
    line = np.full((6, above.shape[1], 3), 255, np.uint8)
    Picture.fromarray(np.concatenate([above, line, below])).save(asked.picture)


if __name__ == "__main__":
    main()
