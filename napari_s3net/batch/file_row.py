"""One line of the report: what became of one file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

#: A result whose confidence is no expected Dice is to be looked at below this; set by hand.
LOOK_BELOW = 0.5
Status = Literal["running", "done", "failed", "skipped"]


@dataclass(frozen=True, kw_only=True)
class FileRow:
    """What became of one file.

    Parameters
    ----------
    file : str
        Path below the source folder, with slashes.
    status : {"running", "done", "failed", "skipped"}
        The report holds only "done" and "failed"; "skipped" is told of a file that was done before.
    seconds : float
        From opening the file to the last result written.
    settings : str
        Digest of what was asked for.
    input : str
        Check sum of the file.
    confidence : float or None
        0 to 1: how far the proposal can be trusted.
    share : float or None
        Part of the image that is object, 0 to 1.
    error : str
        Why it failed.
    note : str
        What is worth knowing about a file that is done: retried smaller, only the first of several volumes.
    outputs : mapping
        Path below the output folder of each kind of result.
    sizes : mapping
        Bytes of each of these files.
    metadata : mapping
        `Segmentation.metadata` without losses and without what is empty; in the place of the settings their digest:
        `settings/<digest>.json` in the output has them, once for all files.
    slice, slices : int
        Of a stack that is running: which slice is worked on, from 1, and how many there are.
    regions : tuple of mapping
        Rows of `measurements.csv`, without what is empty.
    """

    file: str
    status: Status
    seconds: float = 0.0
    settings: str = ""
    input: str = ""
    confidence: float | None = None
    share: float | None = None
    error: str = ""
    note: str = ""
    outputs: Mapping[str, str] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    slice: int = 0
    slices: int = 0
    regions: tuple[Mapping[str, Any], ...] = ()

    @property
    def preset(self) -> str:
        """The preset that was used."""
        return str(self.metadata.get("preset", ""))

    @property
    def device(self) -> str:
        """What it was computed on."""
        return str(self.metadata.get("device", ""))

    @property
    def version(self) -> str:
        """The version of this program that did the file."""
        return str(self.metadata.get("version", ""))

    @property
    def foreground(self) -> tuple[int, ...]:
        """The labels of the object."""
        return tuple(self.metadata.get("foreground", ()))

    @property
    def certainty(self) -> str:
        """How sure the result is, as the Segment dock says it: "sure", "look", "no clear object"; else empty.

        Where the confidence is no expected Dice, as of CT without a network, only what is below `LOOK_BELOW` is to be
        looked at, and nothing is called sure.
        """
        if self.status not in ("done", "skipped"):
            return ""
        if word := str(self.metadata.get("certainty", "")):
            return word
        if self.share is not None and not self.share:
            return "no clear object"
        return "look" if self.confidence is not None and self.confidence < LOOK_BELOW else ""

    @property
    def used(self) -> str:
        """Digest of the settings that were used in the end; smaller than what was asked for where memory ran out."""
        return str(self.metadata.get("settings", ""))

    @property
    def is_final(self) -> bool:
        """Whether nothing more will come of this file in this run."""
        return self.status != "running"

    def to_line(self) -> bytes:
        """Write the row as one line of the report.

        Returns
        -------
        bytes
            JSON in ASCII, whatever the names are, with the line's end.

        Raises
        ------
        ValueError
            If a number in it is not finite.
        """
        return json.dumps(vars(self), allow_nan=False).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes, *, light: bool = False) -> FileRow:
        """Read a row from a line of the report: the inverse of `to_line`.

        Parameters
        ----------
        line : bytes
            As `to_line` wrote it.
        light : bool
            Leave out the regions, by far the longest part, without parsing them: they come last, and the text that
            marks their beginning cannot stand within another value, where its quotes would be escaped.

        Returns
        -------
        FileRow
            Without regions if it is `light`.

        Raises
        ------
        ValueError
            If the line is no row.
        """
        if light:
            head, found, _ = line.partition(b', "regions": ')
            line = head + b"}" if found else line
        return cls.from_dict(json.loads(line))

    @classmethod
    def from_dict(cls, values: Any) -> FileRow:
        """Make a row from plain values, also those of reports that earlier versions wrote.

        Parameters
        ----------
        values : mapping
            By the names of the fields; other names are left out.

        Returns
        -------
        FileRow
            Columns of earlier reports that are metadata now have moved there.

        Raises
        ------
        ValueError
            If `values` is no mapping, or a row needs something that it does not have.
        """
        try:
            row = {name: value for name, value in values.items() if name in _NAMES}
            old = {new: values[name] for name, new in _MOVED.items() if values.get(name)}
            lists = {name: tuple(row[name]) for name in ("regions",) if name in row}
            return cls(**{"metadata": old, **row, **lists})
        except (AttributeError, TypeError) as error:
            raise ValueError(f"Not a row of a report: {error}") from None


#: Columns of earlier reports that belong to the metadata now.
_MOVED = {name: name for name in ("device", "preset", "version", "foreground", "names", "iterations", "confidence")}
_MOVED["used"] = "settings"
_NAMES = {f.name for f in fields(FileRow)}
