"""The question before results are replaced that somebody has reviewed."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtWidgets import QMessageBox, QWidget

from napari_s3net.batch import Plan
from napari_s3net.batch.report import light_rows
from napari_s3net.batch.reviewed import replaced_files, reviewed_files
from napari_s3net.plugin.widgets.text import plural


def may_replace(parent: QWidget, replaced: Sequence[str], reviewed: int, what: str = "Start") -> bool:
    """Ask before results are replaced that somebody has reviewed.

    Parameters
    ----------
    parent : QWidget
        The question stands before it.
    replaced : sequence of str
        Files whose results would go.
    reviewed : int
        How many of them were reviewed; where none was, nothing is asked.
    what : str
        What would replace them.

    Returns
    -------
    bool
        Whether the batch may begin.
    """
    if not reviewed:
        return True
    yes, no = QMessageBox.StandardButton.Yes, QMessageBox.StandardButton.No
    return bool(QMessageBox.question(parent, "Batch", question(len(replaced), reviewed, what), yes | no, no) == yes)


def may_replace_in(parent: QWidget, plan: Plan) -> bool:
    """Ask as `may_replace` does before a model is applied, by the report in the output folder.

    Parameters
    ----------
    parent : QWidget
        The question stands before it.
    plan : Plan
        What is asked for.

    Returns
    -------
    bool
        Whether the batch may begin.
    """
    rows = light_rows(plan.output)
    replaced = replaced_files(rows.values(), plan.digest, restart=False)
    return may_replace(
        parent, replaced, len(reviewed_files(plan.output, [rows[file] for file in replaced])), "Applying it"
    )


def question(replaced: int, reviewed: int, what: str = "Start") -> str:
    """Put into words what would be lost.

    Parameters
    ----------
    replaced, reviewed : int
        How many results would go, and how many of them were reviewed.
    what : str
        What would replace them.

    Returns
    -------
    str
        Sentences.
    """
    among = f"{reviewed:,} of them" if reviewed < replaced else "all of them" if replaced > 1 else "it"
    verb = "was" if reviewed == 1 else "were"
    return (
        f"{what} replaces {plural(replaced, 'earlier result')}; {among} {verb} reviewed and will have to be again. "
        "Corrected labels stay in the folder corrected. Replace?"
    )
