"""The page about speed and memory, made from a summary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

#: Images and slices that people ask about; cores of the machines that are computed, not measured.
IMAGES, SLICES = 10_000, 1_000
COMPUTED = {"Workstation, 16 cores": 16, "Cluster, 256 cores": 256}
#: What is wanted of each figure, where something is.
GOALS = {
    "seconds_256": "at most 1 s",
    "ratio_to_released": "at least 60",
    "ratio_to_limit": "at most 4",
    "seconds_2000": "at most twice the 256 × 256 one",
    "apply_512": "at most 0.1 s",
    "peak_mib": "at most 1 GiB",
}
NAMES = {
    "seconds_256": ("One 256 × 256 photograph, from array to labels", "{:.2f} s"),
    "ratio_to_released": ("How many times faster than variant `released` on torch's own layers", "{:.0f}"),
    "ratio_to_released_fast": ("How many times faster than variant `released` on our faster layers", "{:.0f}"),
    "ratio_to_limit": ("Iterations, as a multiple of the machine's limit", "{:.1f}"),
    "seconds_2000": ("One 2,000 × 2,000 photograph", "{:.2f} s"),
    "apply_512": ("A fitted model of the folder mode on a 512 × 512 plane", "{:.2f} s"),
    "apply_512_all_cores": ("The same with a worker on each core, as a batch works, a plane", "{:.3f} s"),
    "peak_mib": ("Peak memory of a fresh process, libraries included", "{:,.0f} MiB"),
}
#: Parts of a run in their order, and what each is.
PARTS = {
    "prepare": "checks, window, hairs, working size",
    "start": "starting clusters, network",
    "forward": "all iterations: layers and losses",
    "backward": "all iterations: gradients",
    "step": "all iterations: Adam",
    "view": "what the taught networks see",
    "propose": "which part is the object",
    "postprocess": "labels at the image's size",
}
Figures = dict[str, Any]


def speed_page(summary: Figures, growth: str, profile: str) -> str:
    """Write the whole page.

    Parameters
    ----------
    summary : dict
        As `run_speed` returned it.
    growth, profile : str
        Where the plots lie, seen from the page.

    Returns
    -------
    str
        Markdown.
    """
    speed = summary["speed"]
    parts = (
        _head(speed),
        _main(speed),
        _parts(speed, profile),
        _limit(speed),
        _cold(speed),
        _growth(speed, growth),
        _many(speed),
    )
    return "\n".join(parts)


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, ("---", *["---:"] * (len(head) - 1)), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _head(speed: Figures) -> str:
    machine = speed["machine"]
    return (
        "# Speed and memory\n\n"
        "Written by `napari-s3net benchmark --speed -o OUT` and `napari-s3net benchmark --speed --page OUT -o "
        "docs/speed.md`; nothing here is typed in by hand. Images are generated ones; times are medians, without "
        "imports unless they are named.\n\n"
        f"Measured on: {machine['processor']}, {machine['cores']} cores, {machine['threads']} thread(s) of torch "
        f"{machine['torch']} on {machine['device']}, {machine['system']}, version {machine['version']}. Load of the "
        f"machine before and after: {machine['load_before']}, {machine['load_after']}.\n"
        f"{_busy(machine)}"
    )


def _busy(machine: Figures) -> str:
    """A warning where other programs had the machine's cores."""
    if machine["load_before"] is None or machine["load_before"] < 0.75 * machine["cores"]:
        return ""
    return "\n**The machine was busy with other work: the times here are too long.**\n"


def _main(speed: Figures) -> str:
    rows = [
        (text, form.format(speed[name]), GOALS.get(name, "")) for name, (text, form) in NAMES.items() if name in speed
    ]
    released = speed["released"]
    gpu = "" if speed["machine"]["device"] != "cpu" else " A graphics card was not at hand: not measured."
    return (
        "\n## In one table\n\n"
        + _table(("what", "measured", "wanted"), rows)
        + "\nVariant `released` was timed in the same run on the same image, twice: on torch's own layers "
        f"({released['published']['seconds_an_iteration']:.1f} s an iteration), and on this project's faster ones, "
        f"which `--variant released` uses ({released['fast']['seconds_an_iteration']:.1f} s). Both are scaled to the "
        f"{released['iterations']} iterations that it takes at least. The published notebook itself was not run. Many "
        f"images at once on a card, each with its own network, are not there.{gpu}\n"
    )


def profile(speed: Figures) -> dict[str, dict[str, float]]:
    """Return where the time goes.

    Parameters
    ----------
    speed : dict
        The figures in `speed` of a summary.

    Returns
    -------
    dict of str to dict of str to float
        By title: seconds of each part of a whole run, and of an iteration at half the size by kind of layer.
    """
    parts, layers = speed["parts"], speed["limit"]["layers"]
    run = {name: parts[name] for name in PARTS}
    iteration = {name: layers[name]["seconds"] for name in sorted(layers, key=lambda name: -layers[name]["seconds"])}
    whole = next(iter(speed["limit"]["kinds"].values()))["seconds"]
    return {
        "A run on a 256 × 256 photograph": {**run, "rest": max(0.0, parts["total"] - sum(run.values()))},
        "An iteration that learns, by layer": {
            **iteration,
            "losses, warps": max(0.0, whole - sum(iteration.values())),
        },
    }


def _parts(speed: Figures, picture: str) -> str:
    run, iteration = profile(speed).values()
    total, layers = speed["parts"]["total"], speed["limit"]["layers"]
    rows = [(name, PARTS.get(name, "arg-max, counting, clocks"), *_share(run[name], total)) for name in run]
    kinds = [
        (
            name,
            str(layers[name]["calls"]) if name in layers else "",
            f"{1000 * seconds:.1f}",
            f"{1000 * layers[name]['least_seconds']:.2f}" if name in layers else "",
            f"{seconds / layers[name]['least_seconds']:.1f}" if name in layers else "",
        )
        for name, seconds in iteration.items()
    ]
    return (
        "\n## Where the time goes\n\n256 × 256 photograph, preset `skin`.\n\n"
        f"![Where the time of a run and of an iteration goes]({picture})\n\n"
        + _table(("part", "what", "ms", "share"), [*rows, ("total", "", *_share(total, total))])
        + "\nOne iteration that learns, at half the size: each layer timed on its own, forward and backward, for the "
        "image and the transformed copy. The least time is that of the next section.\n\n"
        + _table(("layers", "calls", "ms", "least ms", "ratio"), kinds)
    )


def _share(part: float, total: float) -> tuple[str, str]:
    return f"{1000 * part:.0f}", f"{100 * part / total:.0f} %"


def _limit(speed: Figures) -> str:
    limit = speed["limit"]
    machine = limit["machine"]
    rows = [
        (
            f"{name} ({one['iterations']} iterations)",
            f"{one['gflop']:.3f}",
            f"{one['mb']:.0f}",
            f"{1000 * one['least_seconds']:.1f}",
            f"{1000 * one['seconds']:.1f}",
            f"{one['ratio']:.1f}",
        )
        for name, one in limit["kinds"].items()
    ]
    return (
        "\n## How far from the machine's limit\n\n"
        "The least time of an iteration is the sum over its layers of that of their operations at the pace of a matrix "
        "product, or of their bytes at that of a copy of a feature map, whichever is longer; both paces are measured "
        "in the same run: "
        f"{machine['gflops']:.0f} GFLOP/s, {machine['copy_gb_per_s']:.1f} GB/s "
        f"({machine['large_copy_gb_per_s']:.1f} GB/s where nothing fits a cache). Counted are the layers, forward and "
        "backward, from their shapes; losses, warps and the optimiser are not, so the limit is a low one.\n\n"
        + _table(("iterations at", "GFLOP", "MB", "least ms", "measured ms", "ratio"), rows)
    )


def _cold(speed: Figures) -> str:
    found, cold = speed["fresh"], speed["cold_start"]
    words = (
        "\n## Cold start\n\n"
        f"A fresh process imports the training loop, torch included, in {found['imports']:.1f} s; its first run takes "
        f"{found['first_run']:.1f} s and {found['peak_over_libraries_mib']:.0f} MiB beyond the libraries.\n\n"
    )
    if "stages" not in cold:
        return words + f"The start of napari was not measured: {cold['skipped']}.\n"
    stages = list(cold["stages"].items())
    before = [0.0, *(seconds for _, seconds in stages)]
    rows = [(name, f"{s:.1f}", f"{s - b:.1f}") for (name, s), b in zip(stages, before, strict=False)]
    return (
        words
        + "Napari with the sample photograph, Segment dock, one run, in seconds:\n\n"
        + _table(("stage reached", "after", "takes"), rows)
    )


def _growth(speed: Figures, picture: str) -> str:
    rows = []
    for name, points in speed["growth"].items():
        power, memory = speed["slopes"][name]["seconds"], speed["slopes"][name]["mib"]
        first, last = points[0], points[-1]
        mib = f"{first['mib']:.0f} to {last['mib']:.0f}" if memory is not None else "–"
        rows.append(
            (
                name,
                f"{first['n']:,.0f} to {last['n']:,.0f}",
                f"{first['seconds']:.2f} to {last['seconds']:.2f}",
                f"{power:.2f}",
                mib,
                "–" if memory is None else f"{memory:.2f}",
            )
        )
    return (
        "\n## Growth\n\n"
        "The power is the slope on logarithmic axes: 1 is linear, 0 is no growth. `pixels` are those of the image at "
        "one working size, `working pixels` those that the network sees. Memory is beyond what was held before.\n\n"
        + _table(("with", "from, to", "seconds", "power", "MiB", "power"), rows)
        + f"\n![Time and memory on logarithmic axes; the dashed line is linear growth.]({picture})\n"
    )


def _many(speed: Figures) -> str:
    """What a user with many images can expect."""
    one, cores = speed["one_core"], speed["machine"]["cores"]
    machines = {f"This machine, {cores} cores": cores, **COMPUTED}
    rows = [
        (
            name,
            _long(IMAGES * one["photograph"] / n),
            _long(IMAGES * one["applied"] / n),
            _long(SLICES * one["ct_slice"]),
            _long(SLICES * one["ct_slice"] / n),
        )
        for name, n in machines.items()
    ]
    return (
        "\n## Many images\n\n"
        f"From what one core takes here, measured: {one['photograph']:.2f} s a 256 × 256 photograph, "
        f"{one['applied']:.2f} s for a fitted model on 512 × 512, {one['ct_slice']:.2f} s a CT slice. Everything in "
        "this table is **computed** from that: `napari-s3net batch` has a worker on each core, and reading and writing "
        "are left out. One CT is one task, and so one core's; as a folder of slices it is shared out.\n\n"
        + _table(
            (
                "machine",
                f"{IMAGES:,} photographs",
                f"{IMAGES:,} × fitted model",
                f"one CT of {SLICES:,} slices",
                "the same as a folder of slices",
            ),
            rows,
        )
    )


def _long(seconds: float) -> str:
    """A duration, roughly."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
