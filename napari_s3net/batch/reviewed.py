"""Results that a batch would replace, and that somebody has reviewed: they are never lost without a word."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from napari_s3net.batch.file_row import FileRow
from napari_s3net.batch.review import CORRECTED, Review
from napari_s3net.errors import WriteError

#: So many of the files are named.
_NAMED = 3


def replaced_files(rows: Iterable[FileRow], digest: str, *, restart: bool) -> list[str]:
    """Say which results a batch would replace.

    Parameters
    ----------
    rows : iterable of FileRow
        Of a report; a file that failed has no result.
    digest : str
        Of the settings that are asked for; empty where they are not known, and every result may go.
    restart : bool
        Whether the batch begins anew.

    Returns
    -------
    list of str
        Files of the report.
    """
    return [row.file for row in rows if row.status != "failed" and (restart or row.settings != digest)]


def reviewed_files(output: Path, rows: Iterable[FileRow]) -> list[str]:
    """Say which results somebody has accepted or rejected; corrected ones are kept apart, and are not meant.

    Parameters
    ----------
    output : Path
        The output folder.
    rows : iterable of FileRow
        Of its report.

    Returns
    -------
    list of str
        Files of the report.
    """
    review = Review(output)
    return [row.file for row in rows if review.decision(row) in ("accepted", "rejected")]


def refuse_to_replace_reviewed(output: Path, rows: Iterable[FileRow], digest: str, *, restart: bool) -> None:
    """Refuse a batch that would replace results that somebody has accepted or rejected; corrections stay anyway.

    Parameters
    ----------
    output : Path
        The output folder.
    rows : iterable of FileRow
        Of the files that the batch would work on, or begin anew.
    digest, restart
        As in `replaced_files`.

    Raises
    ------
    WriteError
        If there are such results.
    """
    known = {row.file: row for row in rows}
    replaced = replaced_files(known.values(), digest, restart=restart)
    if lost := reviewed_files(output, [known[file] for file in replaced]):
        names = ", ".join(lost[:_NAMED]) + (f" and {len(lost) - _NAMED} more" if len(lost) > _NAMED else "")
        raise WriteError(
            f"Will not replace results that were reviewed: {names} in {output}. Choose another output folder, or go on "
            "with the settings that they were made with. To have them made anew, and review them again, say "
            "--replace-reviewed on the command line or replace_reviewed=True in Python, or press Start in the Batch "
            f"dock. What was corrected stays in its folder {CORRECTED} either way."
        )
