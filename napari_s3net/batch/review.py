"""What a person thinks of the results: accepted, corrected, rejected; kept in the output folder."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from napari_s3net.batch.file_row import FileRow
from napari_s3net.batch.folder import inside
from napari_s3net.errors import WriteError
from napari_s3net.io import write_json

REVIEW = "review.json"
#: Corrected labels and masks lie here, apart from what a batch may replace.
CORRECTED = "corrected"

Kind = Literal["labels", "masks"]
Decision = Literal["accepted", "corrected", "rejected"]
#: What the decisions mean, for the report.
MEANING = (
    "accepted: a person looked at the outline and left it as it is. corrected: a person changed it; the changed labels "
    f"and mask are in {CORRECTED}/. rejected: a person found it of no use; its files are still there."
)


@dataclass(frozen=True)
class Verdict:
    """A decision, and which result it was about: if that is made anew, it has to be looked at again.

    Parameters
    ----------
    decision : {"accepted", "corrected", "rejected"}
        What was decided.
    settings, input : str
        Digest of the settings and check sum of the file, as in the row of that result.
    foreground : tuple of int or None
        Of corrected labels those of the object; None where nothing was corrected.
    names : mapping of int to str or None
        What the corrected labels are called; None where nothing was corrected.
    share : float or None
        Part of the image that is object in the corrected labels; None where nothing was corrected, and in old reviews.
    reviewer : str
        Who decided; empty where nobody gave a name.
    when : str
        Date and time of the decision with its zone, in ISO 8601 to the minute; empty in old reviews.
    kind : {"labels", "masks"}
        Which of the two corrected files was corrected: in a review the labels, of which the mask is made; in the Learn
        dock the mask, which holds classes.
    """

    decision: Decision
    settings: str
    input: str
    foreground: tuple[int, ...] | None = None
    names: Mapping[int, str] | None = None
    share: float | None = None
    reviewer: str = ""
    when: str = ""
    kind: Kind = "labels"


class Review:
    """The decisions about the results of a batch, kept in `review.json` of its output folder.

    A file that is missing or damaged counts as no decisions. What lies among the corrections counts as corrected, also
    where another program has put it there, or the result was made anew since of the same image.

    Parameters
    ----------
    output : Path
        The output folder. The file is replaced as a whole, so that it is never half written.

    Attributes
    ----------
    at : str
        Name of the file that was looked at last; empty at first.
    reviewer : str
        Who decides from now on; empty at first.
    """

    def __init__(self, output: Path) -> None:
        self.output = output.absolute()
        self.at = self.reviewer = ""
        self._verdicts: dict[str, Verdict] = {}
        self._corrections = _corrections_in(self.output)
        self._read()

    def _read(self) -> None:
        """Take what is in the output folder now: somebody else may have decided, too."""
        try:
            kept = json.loads((self.output / REVIEW).read_text(encoding="utf-8"))
            at, verdicts = str(kept["at"]), {file: _verdict(values) for file, values in kept["decisions"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return  # none yet, or not one of ours
        self.at, self._verdicts = at, verdicts

    def verdict(self, row: FileRow) -> Verdict | None:
        """Return what was decided about a result, by whom and when.

        Parameters
        ----------
        row : FileRow
            Of the result.

        Returns
        -------
        Verdict or None
            None where it was not looked at, or has been made anew since; a correction is that of the image, however the
            result was made.
        """
        verdict = self._verdicts.get(row.file)
        if verdict is None:
            found = self._corrected_files(row)
            return Verdict("corrected", row.settings, row.input, kind=found[0]) if found else None
        is_kept = verdict.decision == "corrected" and bool(self._corrected_files(row))
        same = verdict.input == row.input and (verdict.settings == row.settings or is_kept)
        return verdict if same else None

    def _corrected_files(self, row: FileRow) -> list[Kind]:
        """Which corrected files of a result there are."""
        kinds: tuple[Kind, Kind] = "labels", "masks"
        return [kind for kind in kinds if self._corrections and _place(row, kind) in self._corrections]

    def corrected_kind(self, row: FileRow) -> Kind | None:
        """Say which file holds what was corrected.

        Parameters
        ----------
        row : FileRow
            Of the result.

        Returns
        -------
        {"labels", "masks"} or None
            Labels are clusters or classes with their object, as the batch makes them; a mask holds classes alone, and
            255 where nobody has looked. None where nothing was corrected.
        """
        verdict, found = self.verdict(row), self._corrected_files(row)
        if verdict is None or verdict.decision != "corrected" or not found:
            return None
        return verdict.kind if verdict.kind in found else found[0]

    def decision(self, row: FileRow) -> Decision | None:
        """Return what was decided about a result.

        Parameters
        ----------
        row : FileRow
            Of the result.

        Returns
        -------
        {"accepted", "corrected", "rejected"} or None
            None where it was not looked at, or has been made anew since.
        """
        verdict = self.verdict(row)
        return None if verdict is None else verdict.decision

    def foreground(self, row: FileRow) -> tuple[int, ...]:
        """Return the labels of the object.

        Parameters
        ----------
        row : FileRow
            Of the result.

        Returns
        -------
        tuple of int
            As they were corrected, or else as the batch proposed them.
        """
        verdict = self.verdict(row)
        corrected = None if verdict is None else verdict.foreground
        return row.foreground if corrected is None else corrected

    def names(self, row: FileRow) -> Mapping[int, str] | None:
        """Return what corrected labels are called.

        Parameters
        ----------
        row : FileRow
            Of the result.

        Returns
        -------
        mapping of int to str or None
            None where nothing was corrected, and the names are those of the batch.
        """
        verdict = self.verdict(row)
        return None if verdict is None else verdict.names

    def corrected_share(self, row: FileRow) -> float | None:
        """Return how much of the image is object in corrected labels.

        Parameters
        ----------
        row : FileRow
            Of the result.

        Returns
        -------
        float or None
            0 to 1; None where nothing was corrected.
        """
        verdict = self.verdict(row)
        return None if verdict is None else verdict.share

    def decide(
        self,
        row: FileRow,
        decision: Decision,
        foreground: tuple[int, ...] | None = None,
        names: Mapping[int, str] | None = None,
        share: float | None = None,
    ) -> None:
        """Keep a decision, in the output folder too. Accepting what was corrected before leaves it "corrected".

        Parameters
        ----------
        row : FileRow
            Of the result.
        decision : {"accepted", "corrected", "rejected"}
            What was decided.
        foreground : tuple of int, optional
            Of corrected labels those of the object; None where nothing was corrected.
        names : mapping of int to str, optional
            What the corrected labels are called.
        share : float, optional
            How much of the image is object in them.

        Raises
        ------
        WriteError
            If it cannot be written.
        """
        self._read()
        if decision == "accepted" and self.decision(row) == "corrected":
            return  # what was corrected and looked at again stays corrected
        self._note(row, decision, foreground, names, share, "labels")
        self._write(row.file)

    def take_classes(self, row: FileRow, names: Mapping[int, str], share: float | None) -> None:
        """Keep that a result was corrected outside the review, whose place stays; in the output folder too.

        Parameters
        ----------
        row : FileRow
            Of the result, whose corrected mask holds classes.
        names : mapping of int to str
            What they are called.
        share : float or None
            How much of the image is of them; None where that is not known.

        Raises
        ------
        WriteError
            If it cannot be written.
        """
        self._read()
        self._note(row, "corrected", tuple(names), names, share, "masks")
        self._write(self.at)

    def _note(
        self,
        row: FileRow,
        decision: Decision,
        foreground: tuple[int, ...] | None,
        names: Mapping[int, str] | None,
        share: float | None,
        kind: Kind,
    ) -> None:
        if decision == "corrected":
            self._corrections = _corrections_in(self.output)
        when = datetime.now().astimezone().isoformat(timespec="minutes")
        known = (row.settings, row.input, foreground, names, share, self.reviewer, when, kind)
        self._verdicts[row.file] = Verdict(decision, *known)

    def move(self, file: str) -> None:
        """Remember which file is looked at, in the output folder too.

        Parameters
        ----------
        file : str
            Its name in the report.

        Raises
        ------
        WriteError
            If it cannot be written, or the folder is gone.
        """
        self._read()
        self._write(file)

    def _write(self, file: str) -> None:
        if not self.output.exists():
            raise WriteError(f"The folder of results, {self.output.name}, is gone. Put it back, or end the review.")
        self.at = file
        decisions = {file: asdict(verdict) for file, verdict in self._verdicts.items()}
        # Names that are no text (bytes on Linux) are kept as escapes, which UTF-8 could not hold.
        write_json(self.output / REVIEW, {"at": self.at, "decisions": decisions}, ascii_only=True)

    def order(self, rows: Iterable[FileRow]) -> list[FileRow]:
        """Sort results for looking at them.

        Parameters
        ----------
        rows : iterable of FileRow
            Of a report.

        Returns
        -------
        list of FileRow
            Those that are done, the least certain first.
        """
        done = [row for row in rows if row.status in ("done", "skipped")]
        return sorted(done, key=lambda row: (1.0 if row.confidence is None else row.confidence, row.file))

    def begin(self, order: Sequence[FileRow]) -> int:
        """Find the result to go on with.

        Parameters
        ----------
        order : sequence of FileRow
            As `order` gives them.

        Returns
        -------
        int
            Index of the first without a decision, counted from the one that was looked at last and then from the start;
            0 where all are decided.
        """
        was = next((n for n, row in enumerate(order) if row.file == self.at), 0)
        places = [*range(was, len(order)), *range(was)]
        return next((n for n in places if self.decision(order[n]) is None), 0)

    def labels_path(self, row: FileRow, kind: Literal["labels", "masks"] = "labels") -> Path:
        """Return the file of labels or of the mask to show.

        Parameters
        ----------
        row : FileRow
            Of the result.
        kind : {"labels", "masks"}
            Which of the two.

        Returns
        -------
        Path
            The corrected file if this result was corrected, else the one that the batch wrote.

        Raises
        ------
        WriteError
            As `corrected_path`.
        KeyError
            If the batch wrote no file of this kind.
        """
        corrected = self.corrected_path(row, kind)
        if self.decision(row) == "corrected" and corrected.exists():
            return corrected
        return inside(self.output, row.outputs[kind])

    def corrected_path(self, row: FileRow, kind: Literal["labels", "masks"] = "labels") -> Path:
        """Return where the corrected labels or mask of a result are, or would be.

        Parameters
        ----------
        row : FileRow
            Of the result.
        kind : {"labels", "masks"}
            Which of the two.

        Returns
        -------
        Path
            Below `corrected/` in the output folder, with the suffix of what the batch wrote; it need not exist.

        Raises
        ------
        WriteError
            If that would lie outside the output folder, or the result has neither labels nor a mask.
        """
        place = _place(row, kind)
        if not place:
            raise WriteError(f"{row.file} has neither labels nor a mask that could be corrected.")
        return inside(self.output, place)


def _corrections_in(output: Path) -> frozenset[str]:
    """Every corrected file, by its path below the output folder."""
    found = (Path(path, name) for path, _, names in os.walk(output / CORRECTED) for name in names)
    return frozenset(path.relative_to(output).as_posix() for path in found)


def _place(row: FileRow, kind: Kind) -> str:
    """Path of a corrected file below the output folder; empty where there is nothing to correct."""
    path = row.outputs.get(kind) or row.outputs.get("labels") or row.outputs.get("masks")
    if path is None:
        return ""
    return f"{CORRECTED}/{kind}/{path.partition('/')[2]}"


def _verdict(values: dict[str, Any]) -> Verdict:
    foreground, names = values.pop("foreground", None), values.pop("names", None)
    return Verdict(
        **values,
        foreground=None if foreground is None else tuple(map(int, foreground)),
        names=None if names is None else {int(label): str(name) for label, name in names.items()},
    )
