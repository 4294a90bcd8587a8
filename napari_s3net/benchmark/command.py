"""The command line's `benchmark`."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path

from napari_s3net.errors import InvalidSettingsError
from napari_s3net.settings import Settings

#: Names for several methods at once.
GROUPS = {
    "plain": ("otsu", "kmeans2", "kmeans3", "chan-vese", "random-walker", "watershed", "threshold"),
    "kmeans": ("kmeans2", "kmeans3"),
}


def add_arguments(parser: ArgumentParser) -> None:
    """Add the flags of the command to its parser."""
    _add_set_and_methods(parser)
    _add_extent(parser)
    _add_corrections_and_speed(parser)
    _add_learning(parser)
    parser.add_argument(
        "--page", nargs="+", type=Path, metavar="OUT", help="write the docs page of these runs to -o; runs nothing"
    )


def _add_set_and_methods(parser: ArgumentParser) -> None:
    """What is measured, on which images, and where the results go."""
    add = parser.add_argument
    add("set_dir", nargs="?", type=Path, metavar="SET_DIR", help="folder with images/ and masks/")
    add(
        "-o",
        "--output",
        type=Path,
        required=True,
        metavar="OUT",
        help="folder for results; those there are not redone",
    )
    add("--preset", default="auto", metavar="NAME", help="settings of the networks; auto: by the image (default)")
    add(
        "--methods",
        metavar="A,B,…",
        help="s3net, released, s3net:no-…, plain methods by name, plain for all of them (default s3net,plain); "
        "with --interactive: random-walker, random-forest, s3net:no-network, s3net (default all)",
    )
    add("--ablations", action="store_true", help="also s3net with one idea left out, a row each")
    add(
        "--fit",
        choices=("image", "folder"),
        default="image",
        help="folder: also one model fitted without masks on all images of the set (method s3net:folder)",
    )


def _add_extent(parser: ArgumentParser) -> None:
    """How much is done, on what, and with which settings."""
    add = parser.add_argument
    add("--seeds", type=_positive, default=1, metavar="N", help="run the networks with this many seeds (default 1)")
    add("--limit", type=_positive, metavar="N", help="only the first N images")
    add("--half", choices=("a", "b"), help="only one half of the set: tune on a, check on b")
    add("--jobs", type=_positive, default=1, metavar="N", help="processes that share the cores (default 1)")
    add("--device", default="auto", help="auto, cpu, cuda, cuda:1 or mps")
    add(
        "--set",
        nargs="+",
        action="extend",
        default=[],
        metavar="key=value",
        help="settings unlike the preset's",
    )


def _add_corrections_and_speed(parser: ArgumentParser) -> None:
    """What is measured instead of masks: strokes, or time and memory."""
    add = parser.add_argument
    add("--interactive", action="store_true", help="instead, count the strokes that a simulated user needs")
    add(
        "--start",
        choices=("otsu", "s3net"),
        default="otsu",
        help="what every method of --interactive starts from: Otsu's mask of the blurred blue, or our own result",
    )
    add("--speed", action="store_true", help="instead, measure time and memory on generated images; needs no SET_DIR")


def _add_learning(parser: ArgumentParser) -> None:
    """What is measured instead of masks: learning from few labels, or in rounds."""
    add = parser.add_argument
    add("--semi", action="store_true", help="instead, learn from few labels on ACDC (SET_DIR); goes on where it was")
    add("--rows", metavar="A,B,…", help="of --semi: unet, self-training, ideal, kaf-random, kaf, … (default all)")
    add("--labelled", default="1,2,6", metavar="M,…", help="of --semi: numbers of labelled patients (default 1,2,6)")
    add("--draws", type=_positive, default=3, metavar="N", help="of --semi: draws of the labelled patients (default 3)")
    add("--size", choices=("small", "standard"), default="small", help="of --semi and --loop: as in learn (small)")
    add(
        "--loop",
        action="store_true",
        help="instead, rounds of correcting and learning on images/ and masks/ of SET_DIR; goes on where it was",
    )


def run(options: Namespace) -> int:
    """Run the benchmark, or write its page.

    Returns
    -------
    int
        0, or 1 when a method failed on some image.

    Raises
    ------
    S3NetError
        If the folder, a method, a preset or a setting is not there.
    """
    if options.speed:
        return _speed(options)
    if options.page and (options.semi or options.loop):
        from napari_s3net.benchmark.semi_page import semi_page

        options.output.write_text(semi_page(options.page[0]), encoding="utf-8")
        return 0
    if options.page:
        from napari_s3net.benchmark.page import results_page

        options.output.write_text(results_page(options.page), encoding="utf-8")
        return 0
    if options.set_dir is None:
        raise InvalidSettingsError("Name a folder with images/ and masks/, or --page and the results of earlier runs.")
    if options.semi or options.loop:
        return _learn(options)
    return _correct(options) if options.interactive else _measure(options)


def _learn(options: Namespace) -> int:
    """Learn from few labels, or in rounds, and add the figures to their tables."""
    from napari_s3net.benchmark import loop, semi
    from napari_s3net.learning.files import find_images_with_labels
    from napari_s3net.learning.settings import LearnSettings, learn_settings

    settings = learn_settings(options.size, **LearnSettings.parse_changes(options.set))
    if options.semi:
        numbers = [int(_positive(text)) for text in options.labelled.split(",")]
        cells = semi.plan_cells(options.rows.split(",") if options.rows else (), numbers, options.draws)
        for cell in semi.iter_semi(options.set_dir, options.output, cells, settings, sys.stdout.write, options.device):
            sys.stdout.write(f"{cell.row.text}, {cell.labelled} labelled patients, draw {cell.draw}: done\n")
        return 0
    pairs = [
        pair for pair in find_images_with_labels(options.set_dir / "images", options.set_dir / "masks") if pair.labels
    ]
    for policy in loop.POLICIES:
        for row in loop.iter_rounds(pairs[: options.limit], settings, policy, options.output):
            sys.stdout.write(f"{policy}: {row['corrected']} corrected, Dice of the rest {row['dice']:.3f}\n")
    return 0


def _speed(options: Namespace) -> int:
    """Measure time and memory, or write the page of an earlier measurement."""
    from napari_s3net.benchmark.speed import run_speed, write_speed_page

    if options.page:
        write_speed_page(options.output, json.loads((options.page[0] / "summary.json").read_text(encoding="utf-8")))
    else:
        run_speed(options.output, options.device)
        sys.stdout.write(f"Tables and plots: {options.output}\n")
    return 0


def _correct(options: Namespace) -> int:
    """Let a simulated user correct what is not done yet, and add the figures to the summary."""
    from tqdm import tqdm

    from napari_s3net.benchmark import interactive
    from napari_s3net.benchmark.cases import find_pairs
    from napari_s3net.benchmark.correctors import CORRECTORS
    from napari_s3net.benchmark.methods import NetworkRuns
    from napari_s3net.benchmark.page import interactive_section
    from napari_s3net.benchmark.summary import update_summary

    pairs = find_pairs(options.set_dir, half=options.half, limit=options.limit)
    methods = options.methods.split(",") if options.methods else list(CORRECTORS)
    runs = NetworkRuns(options.preset, Settings.parse_changes(options.set), options.device)
    work = interactive.iter_correction_rows(pairs, methods, options.start, runs, options.output)
    for _ in tqdm(work, total=len(pairs), unit="image", disable=None):
        pass
    rows = interactive.read_correction_rows(options.output / "interactive.csv")
    found = {
        start: interactive.summarise_corrections([row for row in rows if row["start"] == start])
        for start in ("otsu", "s3net")
    }
    figures = {"interactive": found["otsu"], "interactive_from_s3net": found["s3net"]}
    figures = {name: its for name, its in figures.items() if its}
    summary = update_summary(options.output, {"set": options.set_dir.resolve().name, **figures})
    sys.stdout.write(interactive_section(summary))
    return 0


def _measure(options: Namespace) -> int:
    """Do what is not done yet, and write everything that follows from the rows."""
    from tqdm import tqdm

    from napari_s3net.benchmark.cases import find_pairs
    from napari_s3net.benchmark.folder_fit import fit_models
    from napari_s3net.benchmark.methods import ABLATIONS, FOLDER, NetworkRuns
    from napari_s3net.benchmark.page import section
    from napari_s3net.benchmark.pictures import draw_pages
    from napari_s3net.benchmark.protocol import iter_rows, plan
    from napari_s3net.benchmark.results import read_rows
    from napari_s3net.benchmark.summary import summarise, update_summary

    output: Path = options.output
    names = [name for text in (options.methods or "s3net,plain").split(",") for name in GROUPS.get(text, (text,))]
    names += ABLATIONS if options.ablations else ()
    names += [FOLDER] if options.fit == "folder" else []
    runs = NetworkRuns(options.preset, Settings.parse_changes(options.set), options.device)
    pairs = find_pairs(options.set_dir, half=options.half, limit=options.limit)
    cases, kept = plan(pairs, names, runs, output, seeds=options.seeds)
    fit_models(pairs, cases)
    for _ in tqdm(iter_rows(cases, jobs=options.jobs), total=len(cases), unit="run", disable=None):
        pass
    rows = read_rows(output / "results.csv")
    summary = update_summary(output, summarise(rows, output, options.set_dir.resolve().name))
    (output / "summary.md").write_text(section(summary), encoding="utf-8")
    shown = draw_pages(rows, find_pairs(options.set_dir), output)
    sys.stdout.write(section(summary))
    sys.stdout.write(f"{len(kept)} rows were there, {len(cases)} are new. Tables: {output}. Pictures: {shown}\n")
    return int(any(row["error"] for row in rows))


def _positive(text: str) -> int:
    """A whole number from 1 on."""
    if not text.isdecimal() or not int(text):
        raise ArgumentTypeError(f"expected a whole number from 1 on; got {text!r}")
    return int(text)
