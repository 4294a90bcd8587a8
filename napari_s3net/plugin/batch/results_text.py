"""What is said of the results of a folder: those of before, those to review, and the pages on them. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from napari_s3net.batch import FileRow
from napari_s3net.batch.folder import PAGE, TABLE
from napari_s3net.plugin.jobs.batch_job import FolderContents
from napari_s3net.plugin.widgets.text import plural


def earlier_text(found: FolderContents) -> str:
    """Say what the output folder has already, and what Start would do with it.

    Parameters
    ----------
    found : FolderContents
        From a look at the folders.

    Returns
    -------
    str
        Empty where there is nothing yet.
    """
    same, other = found.current, found.otherwise
    words = [f"Start replaces {plural(other, 'earlier result')}"] if other else []
    if same:
        words.append(f"{plural(same, 'image')} done before with these settings")
    if not words and found.rows:
        words = [f"{plural(len(found.rows), 'result')} of an earlier run"]
    return " · ".join(words)


def review_text(results: Sequence[FileRow], decided: int) -> str:
    """Say what there is to review, for the button.

    Parameters
    ----------
    results : sequence of FileRow
        Of files that have one.
    decided : int
        On how many of them somebody has decided.

    Returns
    -------
    str
        "Review 40 results, 3 to look at ▸", or how far a review that was begun has come.
    """
    if 0 < decided < len(results):
        return f"Go on with the review, {decided:,} of {len(results):,} done ▸"
    doubtful = sum(row.certainty in ("look", "no clear object") for row in results)
    return f"Review {plural(len(results), 'result')}{f', {doubtful:,} to look at' if doubtful else ''} ▸"


def page_links(output: Path, colour: str) -> str:
    """Link to the page and the table of a batch, to be opened in other programs.

    Parameters
    ----------
    output : Path
        The output folder.
    colour : str
        Of the links, as HTML has it.

    Returns
    -------
    str
        HTML; empty where neither is there.
    """
    there = [output.absolute() / name for name in (PAGE, TABLE)]
    return " · ".join(link(path.as_uri(), path.name, colour) for path in there if path.exists())


def link(address: str, text: str, colour: str) -> str:
    """Link to an address, to be opened in a browser.

    Parameters
    ----------
    address, text : str
        Where to, and what is shown.
    colour : str
        As HTML has it.

    Returns
    -------
    str
        HTML.
    """
    return f'<a style="color: {colour}" href="{escape(address)}">{escape(text)}</a>'
