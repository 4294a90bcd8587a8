"""The result of a run: labels at the image's size, what they mean, and how they were made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_s3net.errors import ReadError
from napari_s3net.geometry import Geometry
from napari_s3net.image import Image
from napari_s3net.provenance import Provenance
from napari_s3net.segments import Code, Colour, Meaning, colour_of_hex, hex_of_colour
from napari_s3net.settings import Settings


@dataclass(frozen=True, eq=False)
class Segmentation:
    """The result of a run, at the image's size.

    Parameters
    ----------
    labels : numpy.ndarray
        (H, W) or (Z, H, W) int32; ids start at 1, 0 is background or unassigned.
    foreground : tuple of int
        The ids that are proposed as the object.
    geometry : Geometry
        That of the image.
    provenance : Provenance
        How it was made.
    names : mapping of int to str
        A short name of each id, for the screen only: "Lesion", "Skin, darker".
    meanings : mapping of int to Meaning
        What each id is; an id that the user has made has none.
    object_name : str
        What the object as a whole is called: "Lesion", "Lung".
    colours : mapping of int to tuple of int
        Red, green and blue, 0 to 255, of each id that has a colour of its own.
    codes : mapping of int to tuple of Code
        Category and type of each id that was given some; those of the others follow from their names.
    state : mapping of str to numpy.ndarray
        The network's weights, by which `uncertainty` asks it again; empty where they were not kept.
    image : Image or None
        What was segmented, not a copy; None where it is not known any more.
    """

    labels: NDArray[np.int32]
    foreground: tuple[int, ...]
    geometry: Geometry
    provenance: Provenance
    names: Mapping[int, str] = field(default_factory=dict)
    meanings: Mapping[int, Meaning] = field(default_factory=dict)
    object_name: str = "Object"
    colours: Mapping[int, Colour] = field(default_factory=dict)
    codes: Mapping[int, tuple[Code, Code]] = field(default_factory=dict)
    state: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    image: Image | None = None

    @property
    def mask(self) -> NDArray[np.bool_]:
        """The object: True wherever the label is one of `foreground`."""
        return np.isin(self.labels, self.foreground)

    @property
    def is_all_object(self) -> bool:
        """Whether every label above 0 counts as the object: in labels made elsewhere, of which no name is known either.

        A result that names its labels and has no `foreground` has no object.
        """
        return not self.foreground and not self.names

    def with_object(self, foreground: Iterable[int]) -> Segmentation:
        """The same with other labels as the object.

        Parameters
        ----------
        foreground : iterable of int
            The object's labels. Where labels have names, one that is new gets that of the object.

        Returns
        -------
        Segmentation
            Labels and everything else as they are.
        """
        foreground = tuple(foreground)
        new = {i: self.object_name for i in foreground if self.names and i not in self.names}
        return replace(self, foreground=foreground, names={**self.names, **new})

    @property
    def settings(self) -> Settings:
        """The settings that were used."""
        return self.provenance.settings

    @property
    def confidence(self) -> float:
        """0 to 1: how far the proposed object can be trusted, estimated without labels."""
        return self.provenance.confidence

    def with_provenance(self, **changes: Any) -> Segmentation:
        """Copy the result with something else in its provenance.

        Parameters
        ----------
        **changes
            Fields of `Provenance` with their new values.

        Returns
        -------
        Segmentation
            It shares the arrays.
        """
        return replace(self, provenance=replace(self.provenance, **changes))

    def metadata(self) -> dict[str, Any]:
        """Convert all but the arrays to plain values: for the JSON beside labels, and for a layer's metadata.

        Returns
        -------
        dict of str to Any
            `Provenance.to_dict`, with "object_name", "foreground", "names", "meanings", "colours" ("#rrggbb") and
            "codes".
        """
        return {
            **self.provenance.to_dict(),
            "object_name": self.object_name,
            "foreground": [int(i) for i in self.foreground],
            "names": {int(i): str(name) for i, name in self.names.items()},
            "meanings": {int(i): list(meaning) for i, meaning in self.meanings.items()},
            "colours": {int(i): hex_of_colour(colour) for i, colour in self.colours.items()},
            "codes": {int(i): [list(code) for code in codes] for i, codes in self.codes.items()},
        }

    @classmethod
    def from_metadata(cls, labels: NDArray[np.int32], geometry: Geometry, values: Any, **arrays: Any) -> Segmentation:
        """Put labels and what `metadata` gave together again.

        Parameters
        ----------
        labels : numpy.ndarray
            (H, W) or (Z, H, W) int32.
        geometry : Geometry
            That of the image.
        values : mapping
            As from `metadata`, also after a way through JSON; that of earlier versions may lack some of it.
        **arrays
            `state` and `image`, where they are known.

        Returns
        -------
        Segmentation
            Equal to the one that `metadata` was called on, but for arrays that were not given.

        Raises
        ------
        ReadError, InvalidSettingsError
            If the values are no metadata of a result; see `Provenance.from_dict`.
        """
        provenance = Provenance.from_dict(values)
        names, meanings, colours, codes = (values.get(key, {}) for key in ("names", "meanings", "colours", "codes"))
        try:
            return cls(
                labels=labels,
                foreground=tuple(int(i) for i in values.get("foreground", ())),
                geometry=geometry,
                provenance=provenance,
                names={int(i): str(name) for i, name in names.items()},
                meanings={int(i): Meaning(*meaning) for i, meaning in meanings.items()},
                object_name=str(values.get("object_name", "Object")),
                colours={int(i): colour_of_hex(colour) for i, colour in colours.items()},
                codes={int(i): (Code(*category), Code(*kind)) for i, (category, kind) in codes.items()},
                **arrays,
            )
        except (AttributeError, TypeError, ValueError) as error:
            raise ReadError(
                f"Expected foreground, names, meanings, colours and codes of the labels by their numbers: {error}."
            ) from None
