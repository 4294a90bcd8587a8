"""Units of length by the words that files have for them."""

from __future__ import annotations

import re

#: µ is written with either of its two characters, or as ImageJ escapes it.
_MICRO = ("\N{MICRO SIGN}", "\N{GREEK SMALL LETTER MU}", "\\u00b5")
_WORDS = {
    "um": ("um", *(f"{micro}m" for micro in _MICRO), "micron", "micrometer", "micrometre"),
    "nm": ("nm", "nanometer", "nanometre"),
    "mm": ("mm", "millimeter", "millimetre"),
    "cm": ("cm", "centimeter", "centimetre"),
    "m": ("m", "meter", "metre"),
}
_UNITS = {word: unit for unit, words in _WORDS.items() for word in words}


def unit_named(word: str) -> str | None:
    """Tell which unit of length a word stands for.

    Parameters
    ----------
    word : str
        As a file has it: "µm", "microns", "Millimetre".

    Returns
    -------
    str or None
        One of `LENGTHS`; None where it stands for none of them.
    """
    return _UNITS.get(re.sub(r"(?<=[a-z]{3})s$", "", word.strip().lower()))
