"""What the docks say while a run or a batch goes on, and when a batch is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_s3net.plugin.widgets.text import long_text, plural, seconds_text

if TYPE_CHECKING:
    from napari_s3net.batch import Summary


def progress_text(iteration: int, total: int, left: float | None, n_labels: int) -> str:
    """One line while a run goes on.

    Parameters
    ----------
    iteration, total : int
        Iterations done, and at most to do.
    left : float or None
        Seconds left; None where that is not known yet.
    n_labels : int
        Clusters in use.

    Returns
    -------
    str
        "18 of 40 · about 1.1 s left · 6 clusters".
    """
    parts = [f"{iteration} of {total}", plural(n_labels, "cluster")]
    if left is not None and iteration < total:
        parts.insert(1, f"about {seconds_text(left)} left")
    return " · ".join(parts)


def batch_text(over: int, total: int, failed: int, left: float | None, *, paused: bool, within: str = "") -> str:
    """One line while a batch goes on.

    Parameters
    ----------
    over, total : int
        Files that are finished in any way, and all.
    failed : int
        How many of them failed.
    left : float or None
        Seconds left; None where that is not known.
    paused : bool
        Whether the batch waits; then no time is told.
    within : str
        Which slices of volumes are worked on; empty for none.

    Returns
    -------
    str
        "412 of 1,204 · 3 failed · about 27 min left".
    """
    parts = [f"{over:,} of {total:,}", *([within] if within else [])]
    if failed:
        parts.append(f"{failed:,} failed")
    if paused:
        parts.append("paused")
    elif left is not None and over < total:
        parts.append(f"about {long_text(left)} left")
    return " · ".join(parts)


def summary_text(summary: Summary) -> str:
    """One line once a batch is over.

    Parameters
    ----------
    summary : Summary
        How it went.

    Returns
    -------
    str
        "400 done, 3 failed, 801 done before."; that it was stopped, where it was.
    """
    words = f"{summary.done:,} done, {summary.failed:,} failed, {summary.skipped:,} done before."
    return f"Stopped: {words}" if summary.stopped else words
