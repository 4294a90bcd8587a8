"""Tables in Markdown: `summary.md` of a run, and the page of the docs over several runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from napari_s3net.errors import ReadError

Method = dict[str, Any]
#: What the sets of the project's own page are.
SETS = {
    "ph2": "PH2, dermoscopy (Mendonça et al. 2013)",
    "isic2018": "ISIC 2018 task 1, dermoscopy (Codella et al. 2019)",
    "ham10000": "HAM10000, dermoscopy (Tschandl et al. 2018)",
    "lung_ct": "Lung CT, slice by slice (LCTSC 2017, doi 10.7937/K9/TCIA.2017.3R3FVZ08)",
}
#: Where corrections may start from, by the key in a summary.
STARTS = {"interactive": "Otsu's mask of the blurred blue", "interactive_from_s3net": "our label-free result"}
INTRODUCTION = """# Benchmark

Measured by `napari-s3net benchmark`, which anyone can run on a folder with `images/` and `masks/`. This page is
generated: `napari-s3net benchmark --page OUT… -o PAGE.md` writes it from the `summary.json` of each run. Halves *a* and
*b* split each set by a hash of the image's name: tune on *a*, check on *b*. Brackets hold the 95 % bootstrap interval
of the mean over images.
"""
LABEL_FREE = """**How to read it.** Three views that are never mixed, each with the control *one-label*, which calls the
whole image the object:

- **Label-free** is the only result: what a user gets without touching anything, at full resolution.
- **Best clusters chosen with the mask** takes the union of clusters that fits the mask best. It is an upper bound.
- **Published clipping** repeats a scoring helper that is in use for this family of methods: at 256 × 256 pixels, all
  that is farther than four pixels outside the mask is erased, and the best cluster is kept. It is no segmentation
  score: look at what the control gets.

HM is the Hammoude distance (1 − IoU), XOR the wrong pixels for each pixel of the mask, boundary the mean distance
between the boundaries. Seconds are those of the method alone, memory is the most that the process held. Differences are
taken image by image.

Pictures of the best, the median and the worst images are not part of this page, because the images have terms of their
own: every run writes them to `OUT/page.html`.
"""
CORRECTIONS = """**Corrections by a simulated user** (`--interactive`). Each round one disc-shaped stroke, of a radius
of 1.5 % of the longer side and of the right class, in the middle of the largest wrong region; then a re-run; until
Dice is 0.95, for at most 20 rounds, at 256 pixels. All methods start from the same mask. *Strokes to* a level counts
20 where it is never reached; *lost* is the share of right pixels that a stroke turned wrong. The random walker is
scikit-image's, in a band along the first border. The random forest is a pixel classifier on features at five scales,
as in ilastik and ConvPaint. `s3net` asks the taught network what looks alike, `s3net:no-network` the colours alone.
*More* is how many strokes to 0.95 a method needs more than `s3net`, image by image.
"""


def results_page(outputs: Sequence[Path]) -> str:
    """Write the docs page over several runs.

    Parameters
    ----------
    outputs : sequence of Path
        Output folders of runs, each with a `summary.json`.

    Returns
    -------
    str
        Markdown.

    Raises
    ------
    ReadError
        If a folder holds no `summary.json` of a run.
    """
    summaries = [load_summary(output) for output in outputs]
    has_methods = any("methods" in summary for summary in summaries)
    has_strokes = any(start in summary for summary in summaries for start in STARTS)
    about = [INTRODUCTION, *([LABEL_FREE] * has_methods), *([CORRECTIONS] * has_strokes)]
    return "\n".join([*about, *map(section, summaries)])


def load_summary(output: Path) -> dict[str, Any]:
    """Read the `summary.json` of a run.

    Parameters
    ----------
    output : Path
        Output folder of the run.

    Returns
    -------
    dict
        As `summarise` and `summarise_corrections` made it.

    Raises
    ------
    ReadError
        If there is none, or it is no JSON.
    """
    try:
        summary: dict[str, Any] = json.loads((output / "summary.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ReadError(f"Expected the output of a benchmark run; {output} holds no summary.json: {error}") from error
    return summary


def section(summary: dict[str, Any]) -> str:
    """Write the tables of one set.

    Parameters
    ----------
    summary : dict
        As `load_summary` gives it.

    Returns
    -------
    str
        Markdown: what was measured without strokes, and with.
    """
    head = f"## {SETS.get(summary['set'], summary['set'])}\n"
    return "\n".join([head, *([_label_free(summary)] if "methods" in summary else []), interactive_section(summary)])


def interactive_section(summary: dict[str, Any]) -> str:
    """Write the tables of how many strokes it takes.

    Parameters
    ----------
    summary : dict
        As `load_summary` gives it.

    Returns
    -------
    str
        Markdown; empty where that was not measured.
    """
    parts = []
    for key, start in STARTS.items():
        if key in summary:
            methods = summary[key]
            measured = {half for method in methods.values() for half in method["halves"]}
            images = max(method["images"] for method in methods.values())
            which = f"{images} images{f', all of half {min(measured)}' * (len(measured) == 1)}.\n"
            parts += [f"### Corrections by a simulated user, from {start}\n", which, _table(methods, "", _STROKES)]
            if len(measured) > 1:
                halves = {f"{n}, half {half}": part for n, m in methods.items() for half, part in m["halves"].items()}
                parts += [_table(halves, "", _STROKES)]
    return "\n".join(parts)


def _label_free(summary: dict[str, Any]) -> str:
    """The tables of what needs no stroke."""
    methods = summary["methods"]
    main = {name: method for name, method in methods.items() if ":" not in name}
    ablated = {name: method for name, method in methods.items() if name == "s3net" or ":" in name}
    seeded = {name: method for name, method in methods.items() if method["seed_agreement"] is not None}
    overlap = _overlap_columns(summary["unit"])
    parts = [
        f"{summary['images']} images.\n",
        "### Label-free\n",
        _table(main, "label_free", {**overlap, **_COSTS}),
        "### Best clusters chosen with the mask: an upper bound\n",
        _table(main, "best_clusters", overlap),
        "### Published clipping: not a segmentation score\n",
        _table(main, "clipped", overlap),
    ]
    if len(ablated) > 1:
        parts += [
            "### One model for the folder, or one idea left out, label-free\n",
            _table(ablated, "label_free", {**overlap, **_COSTS}),
            "### The same, best clusters chosen with the mask\n",
            _table(ablated, "best_clusters", overlap),
        ]
    if seeded:
        parts += ["### One seed against another\n", _table(seeded, "label_free", _SEEDS)]
    parts += ["### The two halves of the set, label-free Dice\n", _table(methods, "label_free", _HALVES)]
    return "\n".join(parts)


Columns = dict[str, Callable[[Method, str], str]]
_STROKES: Columns = {
    "Dice at the start": lambda m, _: f"{m['dice_at_start']:.3f}",
    "strokes to 0.90": lambda m, _: f"{m['strokes_to_90']:.1f}",
    "strokes to 0.95": lambda m, _: "{:.1f} [{:.1f}, {:.1f}]".format(m["strokes_to_95"], *m["strokes_to_95_interval"]),
    "more than s3net": lambda m, _: _more(m.get("more_than_s3net")),
    "never 0.95": lambda m, _: f"{100 * m['never_95']:.0f} %",
    "Dice after 1, 3, 5": lambda m, _: ", ".join(f"{m[f'dice_after_{n}']:.3f}" for n in (1, 3, 5)),
    "seconds a re-run": lambda m, _: "–" if m["seconds_per_rerun"] is None else f"{m['seconds_per_rerun']:.2f}",
    "lost a stroke": lambda m, _: f"{100 * m['lost_share']:.2f} %",
}


def _more(found: dict[str, Any] | None) -> str:
    return "–" if found is None else "{:+.1f} [{:+.1f}, {:+.1f}]".format(found["mean"], *found["interval"])


def _overlap_columns(unit: str) -> Columns:
    return {
        "Dice": lambda m, view: _with_interval(m[view]),
        "median": lambda m, view: f"{m[view]['dice_median']:.3f}",
        "below 0.5": lambda m, view: f"{100 * m[view]['below_half']:.1f} %",
        "HM": lambda m, view: f"{m[view]['hammoude_mean']:.3f}",
        "XOR": lambda m, view: f"{m[view]['xor_mean']:.3f}",
        f"boundary ({unit})": lambda m, view: f"{m[view]['boundary_mean']:.1f}",
    }


_COSTS: Columns = {
    "seconds": lambda m, view: f"{m[view]['seconds_mean']:.2f}",
    "MiB": lambda m, view: "–" if m[view]["peak_mib_max"] is None else f"{m[view]['peak_mib_max']:.0f}",
    "Dice less s3net's": lambda m, _: "–" if m["difference"] is None else _with_interval(m["difference"], "+"),
}
_SEEDS: Columns = {
    "seeds": lambda m, _: str(m["seeds"]),
    "Dice between their masks": lambda m, _: f"{m['seed_agreement']:.3f}",
}
_HALVES: Columns = {
    f"half {half}": lambda m, view, half=half: _with_interval(m["halves"][half][view]) if half in m["halves"] else "–"  # type: ignore[misc]
    for half in "ab"
}


def _table(methods: dict[str, Method], view: str, columns: Columns) -> str:
    """A Markdown table, one row a method, ours last."""
    lines = ["| method | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for name, method in methods.items():
        lines.append(f"| {name} | " + " | ".join(cell(method, view) for cell in columns.values()) + " |")
    return "\n".join(lines) + "\n"


def _with_interval(figures: dict[str, Any], sign: str = "") -> str:
    low, high = figures["dice_interval"]
    return f"{figures['dice_mean']:{sign}.3f} [{low:{sign}.3f}, {high:{sign}.3f}]"
