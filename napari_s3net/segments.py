"""What a label stands for: in this program a meaning, in others a segment with name, colour and codes."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from itertools import chain, count
from typing import NamedTuple

Colour = tuple[int, int, int]
#: Of segments that have none.
GREY: Colour = (150, 150, 150)


class Meaning(NamedTuple):
    """What a cluster is: by this, not by a name on the screen, it is recognised in the next slice of a stack.

    Parameters
    ----------
    tissue : str
        What it shows: "Lesion", "Skin", "Bone", "Dark corner".
    shade : int
        -1 where it is darker than the largest cluster of its side, 1 where it is lighter, 0 for that one itself.
    rank : int
        0 for the only cluster of its shade. Several are numbered from 1, the one nearest in brightness to the largest
        cluster of the side first.
    """

    tissue: str
    shade: int = 0
    rank: int = 0

    @property
    def name(self) -> str:
        """Words for the screen: "Lesion", "Skin, darker"; of several darker ones "Skin, 2 shades darker".

        A further one without a shade, of another run, is "Skin 2".
        """
        if not self.shade:
            return f"{self.tissue} {self.rank}" if self.rank > 1 else self.tissue
        steps = {0: "", 1: "a shade "}.get(self.rank, f"{self.rank} shades ")
        return f"{self.tissue}, {steps}{'darker' if self.shade < 0 else 'lighter'}"

    def told_apart(self, taken: Collection[str]) -> Meaning:
        """Give it a name of its own among others.

        Parameters
        ----------
        taken : collection of str
            What others are called.

        Returns
        -------
        Meaning
            Itself where its name is free, else with the first rank from 2 of which the name is.
        """
        ranked = chain((self,), map(self._with_rank, count(2)))
        return next(one for one in ranked if one.name not in taken)

    def _with_rank(self, rank: int) -> Meaning:
        return self._replace(rank=rank)


class Code(NamedTuple):
    """A term of a coding scheme.

    Parameters
    ----------
    value : str
        Such as "39607008".
    meaning : str
        Such as "Lung".
    scheme : str
        "SCT" is SNOMED CT.
    """

    value: str
    meaning: str
    scheme: str = "SCT"


#: Category and type of what segments show, by their name's first words; dcmqi's and Slicer's own choice.
CODES = {
    "Lung": (Code("123037004", "Anatomical Structure"), Code("39607008", "Lung")),
    "Lesion": (Code("49755003", "Morphologically Altered Structure"), Code("52988006", "Lesion")),
    "Bone": (Code("123037004", "Anatomical Structure"), Code("272673000", "Bone")),
    "Fat": (Code("85756007", "Tissue"), Code("55603005", "Adipose tissue")),
    "Soft tissue": (Code("85756007", "Tissue"), Code("87784001", "Soft tissue")),
}
OTHER = (Code("85756007", "Tissue"), Code("85756007", "Tissue"))


@dataclass(frozen=True)
class Segment:
    """One label as other programs know it.

    Parameters
    ----------
    label : int
        Its number in the label array.
    name : str
        A few words.
    colour : tuple of int or None
        Red, green and blue, 0 to 255; None where a file tells none.
    is_object : bool
        Whether it belongs to the object.
    codes : tuple of Code or None
        Category and type of what it shows; None where they follow from the name, see `CODES`.
    """

    label: int
    name: str
    colour: Colour | None = None
    is_object: bool = True
    codes: tuple[Code, Code] | None = None

    @property
    def own_name(self) -> str:
        """Its name; empty where it has none but "Label 3", which a label without a name is called in files."""
        return "" if self.name == name_of_label(self.label) else self.name

    @property
    def category_and_type(self) -> tuple[Code, Code]:
        """Its codes, or those of its name."""
        known = (codes for name, codes in CODES.items() if self.name.startswith(name))
        return self.codes or next(known, OTHER)


def name_of_label(label: int) -> str:
    """Say what a label without a name is called in files.

    Parameters
    ----------
    label : int
        Its number.

    Returns
    -------
    str
        Such as "Label 3".
    """
    return f"Label {label}"


def hex_of_colour(colour: Colour) -> str:
    """Write a colour as text.

    Parameters
    ----------
    colour : tuple of int
        Red, green and blue, 0 to 255.

    Returns
    -------
    str
        As "#rrggbb".
    """
    return "#{:02x}{:02x}{:02x}".format(*colour)


def colour_of_hex(text: str) -> Colour:
    """Read what `hex_of_colour` wrote.

    Parameters
    ----------
    text : str
        As "#rrggbb".

    Returns
    -------
    tuple of int
        Red, green and blue, 0 to 255.

    Raises
    ------
    ValueError
        If it is no such text.
    """
    if not re.fullmatch("#[0-9a-fA-F]{6}", text):
        raise ValueError(f"expected a colour as #rrggbb, got {text!r}")
    red, green, blue = bytes.fromhex(text[1:])
    return red, green, blue
