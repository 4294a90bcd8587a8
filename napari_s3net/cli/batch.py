"""Segment every image of a folder. Started again, it goes on where it was ended."""

from __future__ import annotations

import signal
import sys
import threading
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from napari_s3net.cli.common_options import add_settings, changed_settings
from napari_s3net.cli.output import printable, say, say_more

if TYPE_CHECKING:
    from napari_s3net.batch import FileRow, Plan, Summary


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what `run` reads."""
    add = parser.add_argument
    add("source", type=Path, metavar="IN", help="folder with images, or with DICOM series")
    add("output", type=Path, metavar="OUT", help="folder for the results; started again, what is done is skipped")
    add_settings(parser)
    add("--pattern", default="", metavar="GLOB", help='only files whose name matches, such as "*.jpg"')
    add("--recursive", action="store_true", help="folders within as well")
    add("--fit", default="image", metavar="HOW", help="image: image by image (default); folder: one model for all")
    add(
        "--mode",
        default="volume",
        metavar="HOW",
        help="volumes: as one, fitted once (volume, default where there is one intensity a voxel); or each slice on its"
        " own (slices)",
    )
    add("--model", type=Path, metavar="MODEL", help="a model that learn wrote decides what each pixel is")
    add("--jobs", type=int, metavar="N", help="files at once on this machine (default 1; with a graphics card more)")
    add("--scheduler", default="", metavar="ADDRESS", help="use the workers of this Dask scheduler")
    add("--restart", action="store_true", help="forget what was done before")
    add(
        "--replace-reviewed",
        action="store_true",
        help="replace results that were accepted or rejected in a review, too; what was corrected stays in any case",
    )
    add(
        "--write",
        default="labels,masks,measurements",
        metavar="KINDS",
        help="of labels, masks, overlays and measurements (default all but overlays), with commas; also the formats of"
        " segment --also but png",
    )


def run(options: Namespace) -> int:
    """Work on each file of the folder, and write results and report to the output folder.

    Returns
    -------
    int
        0; 1 when some files failed.

    Raises
    ------
    S3NetError
        If input, output, settings, device or workers cannot be used.
    KeyboardInterrupt
        If Ctrl-C ended the batch; what was finished is kept.
    """
    from napari_s3net.batch import find_items, iter_batch, open_executor, what_is_left_out
    from napari_s3net.batch.card import jobs_for

    plan = _plan(options)
    if options.device != "auto" and not options.scheduler:
        from napari_s3net.runtime.device import resolve_device

        resolve_device(options.device)
    if plan.model is not None:
        from napari_s3net.learning.model import load_model

        load_model(plan.model)
    items = find_items(plan)
    if others := what_is_left_out(plan):
        say(f"{plan.source}: {others}")
    started = time.perf_counter()
    jobs = jobs_for(plan) if options.jobs is None else options.jobs
    with open_executor(jobs, options.scheduler) as executor:
        if executor.link:
            say(f"{executor.workers} workers; see {executor.link}")
        with ctrl_c() as asked:
            rows = iter_batch(
                plan,
                items=items,
                executor=executor,
                restart=options.restart,
                replace_reviewed=options.replace_reviewed,
            )
            summary = _follow(rows, len(items), asked)
    if summary.stopped:
        raise KeyboardInterrupt
    minutes = (time.perf_counter() - started) / 60
    counts = f"{summary.done} done, {summary.failed} failed, {summary.skipped} skipped"
    say(f"{counts} in {minutes:.1f} min; see {options.output / 'report.html'}")
    return int(summary.failed > 0)


def _plan(options: Namespace) -> Plan:
    """What the flags ask for."""
    from napari_s3net.batch import Plan

    return Plan(
        source=options.source,
        output=options.output,
        preset=options.preset,
        changes=changed_settings(options),
        pattern=options.pattern,
        recursive=options.recursive,
        write=tuple(word for word in options.write.split(",") if word),
        fit=options.fit,
        model=options.model,
        device=options.device,
        mode=options.mode,
    )


@contextmanager
def ctrl_c() -> Iterator[Event]:
    """Have the first Ctrl-C ask the batch to end, so that no lock stays held; a second one interrupts as usual.

    Outside the main thread, and where somebody else handles Ctrl-C already, nothing is changed.

    Yields
    ------
    threading.Event
        Set once Ctrl-C was pressed.
    """
    asked, before = Event(), signal.getsignal(signal.SIGINT)

    def ask(*_: object) -> None:
        asked.set()
        signal.signal(signal.SIGINT, before)

    # A handler that somebody else has set stays; and only the main thread may set one.
    ours = before is signal.default_int_handler and threading.current_thread() is threading.main_thread()
    if ours:
        signal.signal(signal.SIGINT, ask)
    try:
        yield asked
    finally:
        if ours:
            signal.signal(signal.SIGINT, before)


def _follow(rows: Generator[FileRow | None, bool | None, Summary], total: int, asked: Event) -> Summary:
    """Run to the end: a progress bar on a terminal, and failures above it; a line a file without one."""
    from tqdm import tqdm

    from napari_s3net.runtime.generators import follow

    failed, place = 0, ""
    with tqdm(total=total, unit="file", disable=None, file=sys.stderr) as bar:

        def show(row: FileRow | None) -> bool | None:
            nonlocal failed, place
            if row is None or not row.is_final:
                place = f"slice {row.slice} of {row.slices}" if row is not None and row.slices else place
                bar.set_postfix_str(_beside(failed, place))
                return asked.is_set() or None
            failed, place = failed + (row.status == "failed"), ""
            bar.set_postfix_str(_beside(failed, place), refresh=False)
            bar.update()
            if bar.disable:
                say_more(row_text(row))
            elif row.status == "failed":
                bar.write(printable(row_text(row)), file=sys.stderr)
            return asked.is_set() or None

        return follow(rows, show)


def _beside(failed: int, place: str) -> str:
    """What stands beside the bar: which slice of a volume, and how many files failed."""
    return ", ".join(part for part in (place, f"{failed} failed" if failed else "") if part)


def row_text(row: FileRow) -> str:
    """What became of a file, in one line.

    Parameters
    ----------
    row : FileRow
        The file's row in the report.

    Returns
    -------
    str
        "a.png: object 21.4 %, sure 0.92, 1.3 s"; "a.png: failed: …" with the reason; or "a.png: done before".
    """
    if row.status == "failed":
        return f"{row.file}: failed: {row.error}"
    if row.status == "skipped":
        return f"{row.file}: done before"
    share = "no object found" if not row.share else f"object {100 * row.share:.1f} %"
    sure = "" if row.confidence is None else f", {row.certainty or 'confidence'} {row.confidence:.2f}"
    note = f" ({row.note})" if row.note else ""
    return f"{row.file}: {share}{sure}, {row.seconds:.1f} s{note}"
