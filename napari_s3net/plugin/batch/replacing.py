"""Results that a batch would replace, and the question before those go that somebody has reviewed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from qtpy.QtWidgets import QMessageBox, QWidget

from napari_s3net.batch import FileRow
from napari_s3net.plugin.widgets.text import plural


def replaced_files(rows: Iterable[FileRow], digest: str, *, restart: bool) -> list[str]:
    """Say which results a batch would replace.

    Parameters
    ----------
    rows : iterable of FileRow
        Of files that have a result.
    digest : str
        Of the settings that are asked for; empty where they are not known, and every result may go.
    restart : bool
        Whether the batch begins anew.

    Returns
    -------
    list of str
        Files of the report.
    """
    return [row.file for row in rows if restart or row.settings != digest]


def may_replace(parent: QWidget, replaced: Sequence[str], reviewed: int) -> bool:
    """Ask before results are replaced that somebody has reviewed.

    Parameters
    ----------
    parent : QWidget
        The question stands before it.
    replaced : sequence of str
        Files whose results would go.
    reviewed : int
        How many of them were reviewed; where none was, nothing is asked.

    Returns
    -------
    bool
        Whether the batch may begin.
    """
    if not reviewed:
        return True
    yes, no = QMessageBox.StandardButton.Yes, QMessageBox.StandardButton.No
    return bool(QMessageBox.question(parent, "Batch", question(len(replaced), reviewed), yes | no, no) == yes)


def question(replaced: int, reviewed: int) -> str:
    """Put into words what would be lost.

    Parameters
    ----------
    replaced, reviewed : int
        How many results would go, and how many of them were reviewed.

    Returns
    -------
    str
        Sentences.
    """
    among = f"{reviewed:,} of them" if reviewed < replaced else "all of them" if replaced > 1 else "it"
    verb = "was" if reviewed == 1 else "were"
    return (
        f"Start replaces {plural(replaced, 'earlier result')}; {among} {verb} reviewed and will have to be again. "
        "Corrected labels stay in the folder corrected. Replace?"
    )
