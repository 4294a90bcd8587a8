"""The record of how a result was made.

The same record stands in the JSON beside labels, in the metadata of a layer and in the report of a batch, and is read
back from there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from napari_s3net.errors import ReadError
from napari_s3net.settings import Settings

PROGRAM = "napari-s3net"
#: Layout of the plain values. Files without a number (before 2) have `history` in the place of `losses` and `slices`.
FORMAT = 2
_WORDS = ("version", "preset", "device", "note", "certainty", "source", "input_digest")
_NUMBERS = ("seconds", "confidence")
_COUNTS = ("iterations", "axis", "slice", "time")


@dataclass(frozen=True, kw_only=True)
class ImageFacts:
    """Kind and shape of the image that was segmented; nothing about a patient.

    Parameters
    ----------
    kind : str
        "rgb", "ct", "mr" or "grey".
    shape : tuple of int
        (H, W) or (Z, H, W), without the colour axis.
    spacing : tuple of float
        Along each array axis, in `unit`.
    unit : str
        "mm" or "pixel".
    """

    kind: str
    shape: tuple[int, ...]
    spacing: tuple[float, ...]
    unit: str


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """How a result was made.

    Parameters
    ----------
    settings : Settings
        Those that were used, the seed among them. Where a learned model gave the labels, those with which a correction
        goes on from them.
    version : str
        Of this program.
    preset : str
        Name of the preset that the settings started from; empty where there was none.
    device : str
        "cpu", "cuda:0", …
    seconds : float
        Wall time of the run.
    stopped : bool
        Whether the user ended the run early and kept the result.
    note : str
        What the user has to know, for example that memory ran out and the run was done at a smaller size.
    confidence : float
        0 to 1: how far the proposed object can be trusted, estimated without labels.
    certainty : str
        "sure", "look" (at it) or "no clear object", where the confidence is the Dice that is to be expected; empty
        where it only says how far several ways to find the object agree.
    source : str
        Name of the image's file or layer; never a path, in which a patient's name may stand.
    axis, slice : int or None
        Of one plane out of a volume, or of some of its slices: the axis along which the slices lie, and which slice it
        is, or the first one, from 0.
    time : int or None
        Of one moment out of a series: its number, from 0.
    image : ImageFacts or None
        What was segmented.
    input_digest : str
        Check sum of the input file; empty where it was not taken.
    iterations : int
        Updates of the network; of a stack, those of all slices together.
    losses : tuple of mapping
        The weighted loss terms of every iteration. Of a stack they stand with its slices.
    slices : tuple of Provenance
        Of a stack: how each segmented slice was made.
    model : mapping of str to Any
        Of labels that a learned model gave: the digest of its weights and how it learned; empty of all others.
    """

    settings: Settings
    version: str = ""
    preset: str = ""
    device: str = ""
    seconds: float = 0.0
    stopped: bool = False
    note: str = ""
    confidence: float = 0.0
    certainty: str = ""
    source: str = ""
    axis: int | None = None
    slice: int | None = None
    time: int | None = None
    image: ImageFacts | None = None
    input_digest: str = ""
    iterations: int = 0
    losses: tuple[Mapping[str, float], ...] = ()
    slices: tuple[Provenance, ...] = ()
    model: Mapping[str, Any] = field(default_factory=dict)

    def without_losses(self) -> Provenance:
        """Leave out losses and slices, for tables that hold thousands of results.

        Returns
        -------
        Provenance
            A copy.
        """
        return replace(self, losses=(), slices=())

    def to_dict(self) -> dict[str, Any]:
        """Convert to plain values for JSON.

        Returns
        -------
        dict of str to Any
            By the names of the fields, with "program" and "format". A slice holds only what differs from its stack. A
            number that is not finite is None.
        """
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        values |= {name: _finite(values[name]) for name in _NUMBERS}
        values |= {
            "settings": self.settings.to_dict(),
            "image": None if self.image is None else _listed(asdict(self.image)),
            "model": dict(self.model),
            "losses": [{name: _finite(value) for name, value in terms.items()} for terms in self.losses],
        }
        stack = {"program": PROGRAM, "format": FORMAT, **values}
        shared = {**stack, "losses": [], "slices": []}
        parts = (part.to_dict() for part in self.slices)
        return {**stack, "slices": [{k: v for k, v in part.items() if v != shared[k]} for part in parts]}

    @classmethod
    def from_dict(cls, values: Any) -> Provenance:
        """Read what `to_dict` gave, or what earlier versions wrote.

        Parameters
        ----------
        values : mapping
            What is missing takes its default, what is unknown is left out.

        Returns
        -------
        Provenance
            With numbers that are None as NaN.

        Raises
        ------
        ReadError
            If the values are no record of this program, come from a newer layout, or one has a wrong type. The message
            does not name the file.
        InvalidSettingsError
            If the settings in it are unknown or out of range.
        """
        if not isinstance(values, Mapping) or not isinstance(values.get("settings"), Mapping):
            raise ReadError("Expected how a result was made, with its settings; got something else.")
        layout = values.get("format", 1)
        if not isinstance(layout, int) or layout > FORMAT:
            raise ReadError(
                f"This was written by a newer version of {PROGRAM} (layout {layout}; known up to {FORMAT}). Update it."
            )
        values = _updated(values) if layout < 2 else values
        known = {f.name: values[f.name] for f in fields(cls) if f.name in values}
        for names, check in ((_WORDS, _word), (_NUMBERS, _number), (_COUNTS, _count), (("stopped",), _flag)):
            known |= {name: check(name, known[name]) for name in names if name in known}
        known |= {"settings": Settings.from_dict(values["settings"]), "image": _facts(values.get("image"))}
        known["model"] = _mapping("model", values)
        known["losses"] = tuple(_terms(terms) for terms in _sequence("losses", values))
        known["slices"] = tuple(
            cls.from_dict({**values, "losses": [], "slices": [], **part}) for part in _sequence("slices", values)
        )
        return cls(**known)


def _updated(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of layout 1 in today's names.

    Of a plane, `history` held the losses. Of a stack, it held a line a slice with the last losses; in the metadata of a
    layer, `slices` was a mapping by the slice's number.
    """
    history = [dict(entry) for entry in _sequence("history", values)]
    parts = []
    for entry in history if any("slice" in entry for entry in history) else ():
        about = {name: entry.pop(name) for name in ("slice", "iterations", "seconds", "confidence") if name in entry}
        parts.append({**about, "losses": [entry] if entry else []})
    if isinstance(of_layer := values.get("slices"), Mapping):
        numbered = ((str(index), part) for index, part in of_layer.items())
        parts = [{**part, "slice": int(n)} for n, part in numbered if n.isdecimal() and isinstance(part, Mapping)]
    losses = [] if parts else history
    counts = [part.get("iterations") for part in parts]
    iterations = sum(n for n in counts if isinstance(n, int)) if parts else len(history)
    return {"iterations": iterations, **values, "format": FORMAT, "losses": losses, "slices": parts}


def _sequence(name: str, values: Mapping[str, Any]) -> list[Any]:
    """A list of mappings by its name; empty where it is missing."""
    found = values.get(name, ())
    if not isinstance(found, (list, tuple)) or not all(isinstance(entry, Mapping) for entry in found):
        raise ReadError(f"Expected {name} as a list of names with values; got {found!r:.80}.")
    return list(found)


def _mapping(name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    found = values.get(name, {})
    if not isinstance(found, Mapping):
        raise ReadError(f"Expected {name} as names with values; got {found!r:.80}.")
    return dict(found)


def _facts(values: Any) -> ImageFacts | None:
    if values is None:
        return None
    try:
        shape, spacing = tuple(int(n) for n in values["shape"]), tuple(float(s) for s in values["spacing"])
        return ImageFacts(kind=str(values["kind"]), shape=shape, spacing=spacing, unit=str(values["unit"]))
    except (KeyError, TypeError, ValueError):
        raise ReadError(f"Expected kind, shape, spacing and unit of the image; got {values!r:.80}.") from None


def _terms(terms: Mapping[str, Any]) -> dict[str, float]:
    return {str(name): _number(name, value) for name, value in terms.items()}


def _word(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise ReadError(f"Expected {name} as text; got {value!r:.80}.")
    return value


def _number(name: str, value: Any) -> float:
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ReadError(f"Expected {name} as a number; got {value!r:.80}.")
    return float(value)


def _count(name: str, value: Any) -> int | None:
    if value is None and name != "iterations":
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ReadError(f"Expected {name} as a whole number from 0; got {value!r:.80}.")
    return value


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ReadError(f"Expected {name} as true or false; got {value!r:.80}.")
    return value


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _listed(values: dict[str, Any]) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
