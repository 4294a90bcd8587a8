"""From rows to figures: mean with a bootstrap interval, median, share below one half; halves, seeds, differences."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_s3net.benchmark.baselines import BASELINES
from napari_s3net.benchmark.cases import mask_path, read_mask
from napari_s3net.benchmark.methods import NETWORKS
from napari_s3net.benchmark.results import VIEWS, BenchmarkRow
from napari_s3net.io import write_json
from napari_s3net.labels.metrics import dice

#: The method that others are compared with.
OURS = "s3net"
RESAMPLES = 2000


def summarise(rows: list[BenchmarkRow], output: Path, name: str) -> dict[str, Any]:
    """Compute the figures of a set, ready for `summary.json`.

    Parameters
    ----------
    rows : list of dict
        All rows of `results.csv`.
    output : Path
        Where the masks of the run are.
    name : str
        Of the set.

    Returns
    -------
    dict
        `methods.<name>` holds a block for each of `VIEWS`, the same for each half of the set, `seed_agreement` (mean
        Dice between the masks of two seeds) and `difference` (label-free Dice less that of "s3net" on the same images).
    """
    methods = {m: [row for row in rows if row["method"] == m] for m in (*BASELINES, *NETWORKS)}
    methods = {m: mine for m, mine in methods.items() if mine}
    return {
        "set": name,
        "images": len({row["image"] for row in rows}),
        "unit": "/".join(sorted({row["unit"] for row in rows})),
        "methods": {
            m: {
                **_views(mine),
                "images": len({row["image"] for row in mine}),
                "seeds": len({row["seed"] for row in mine}),
                "failed": sum(bool(row["error"]) for row in mine),
                "version": "/".join(sorted({row["version"] for row in mine})),
                "halves": {
                    half: _views(part) for half in "ab" if (part := [row for row in mine if row["half"] == half])
                },
                "seed_agreement": seed_agreement(mine, output),
                "difference": difference(mine, methods.get(OURS, [])),
            }
            for m, mine in methods.items()
        },
    }


def update_summary(output: Path, figures: dict[str, Any]) -> dict[str, Any]:
    """Write figures to `summary.json`; those of another kind of run that are there stay.

    Parameters
    ----------
    output : Path
        Folder of the results.
    figures : dict
        Values that JSON knows, by name; they replace those of the same name.

    Returns
    -------
    dict
        What the file now holds.

    Raises
    ------
    WriteError
        If it cannot be written.
    """
    path = output / "summary.json"
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        known = {}
    summary = {**known, **figures}
    write_json(path, summary)
    return summary


def interval(values: NDArray[np.float64]) -> list[float]:
    """Return the 95 % bootstrap interval of a mean (percentiles), the same at every call.

    Parameters
    ----------
    values : numpy.ndarray
        (n,), n is 1 or more.

    Returns
    -------
    list of float
        [low, high].
    """
    draw = np.random.default_rng(0).integers(len(values), size=(RESAMPLES, len(values)))
    return [float(bound) for bound in np.percentile(values[draw].mean(axis=1), (2.5, 97.5))]


def difference(rows: list[BenchmarkRow], reference: list[BenchmarkRow]) -> dict[str, Any] | None:
    """Compare the label-free Dice of two methods, image by image.

    Parameters
    ----------
    rows : list of dict
        Of one method.
    reference : list of dict
        Of the method to compare with.

    Returns
    -------
    dict or None
        `dice_mean` and `dice_interval` of Dice less the reference's; None for the reference itself or with no image in
        common.
    """
    mine, theirs = _by_image(rows, "label_free_dice"), _by_image(reference, "label_free_dice")
    common = sorted(set(mine) & set(theirs))
    if not common or rows[0]["method"] == reference[0]["method"]:
        return None
    values = np.array([mine[image] - theirs[image] for image in common])
    return {
        "to": reference[0]["method"],
        "images": len(common),
        "dice_mean": float(values.mean()),
        "dice_interval": interval(values),
    }


def seed_agreement(rows: list[BenchmarkRow], output: Path) -> float | None:
    """Return how far the masks of different seeds agree.

    Parameters
    ----------
    rows : list of dict
        Of one method.
    output : Path
        Where the masks of the run are.

    Returns
    -------
    float or None
        Mean Dice of every two seeds, over the images; None with one seed.
    """
    seeds: dict[str, list[int]] = {}
    for row in rows:
        seeds.setdefault(row["image"], []).append(row["seed"])
    agreements = []
    for image, its in seeds.items():
        if len(its) == 1:
            continue
        masks = [read_mask(mask_path(output, image, rows[0]["method"], seed)) for seed in sorted(its)]
        agreements.append(np.mean([dice(a, b) for a, b in combinations(masks, 2)]))
    return float(np.mean(agreements)) if agreements else None


def _views(rows: list[BenchmarkRow]) -> dict[str, dict[str, Any]]:
    """A block of figures for each view. Each run counts once, but the interval is one over images."""
    return {view: _figures(rows, view) for view in VIEWS}


def _figures(rows: list[BenchmarkRow], view: str) -> dict[str, Any]:
    values: Mapping[str, NDArray[np.float64]] = {
        name: np.array([row[f"{view}_{name}"] for row in rows]) for name in ("dice", "hammoude", "xor", "boundary")
    }
    return {
        "dice_mean": float(values["dice"].mean()),
        "dice_interval": interval(np.array(list(_by_image(rows, f"{view}_dice").values()))),
        "dice_median": float(np.median(values["dice"])),
        "below_half": float(np.mean(values["dice"] < 0.5)),
        "hammoude_mean": float(values["hammoude"].mean()),
        "xor_mean": float(values["xor"].mean()),
        "boundary_mean": float(values["boundary"].mean()),
        "seconds_mean": float(np.mean([row["seconds"] for row in rows])),
        "peak_mib_max": _finite(max(row["peak_mib"] for row in rows)),
    }


def _by_image(rows: list[BenchmarkRow], column: str) -> dict[str, float]:
    """The mean over seeds of a column for each image."""
    values: dict[str, list[float]] = {}
    for row in rows:
        values.setdefault(row["image"], []).append(row[column])
    return {image: float(np.mean(its)) for image, its in values.items()}


def _finite(value: float) -> float | None:
    """JSON knows no NaN."""
    return value if np.isfinite(value) else None
