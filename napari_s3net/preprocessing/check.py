"""Whether an image can be segmented at all, and for a target."""

from __future__ import annotations

from napari_s3net.errors import InvalidImageError
from napari_s3net.image import Image, size_text
from napari_s3net.preprocessing.values import CompletePlane, complete
from napari_s3net.settings import Settings

#: Rows and columns that an image has at least.
SMALLEST_SIDE = 16
#: Targets that are found from Hounsfield units.
HU_TARGETS = ("lung", "body")
#: What an image without Hounsfield units is, and the preset that suits it.
OTHER_KINDS = {
    "rgb": ("a colour photograph", "skin"),
    "mr": ("an MR image", "mri"),
    "grey": ("a grey image without a unit", "generic"),
}


def check_plane(image: Image) -> CompletePlane:
    """Check that an image is one plane that can be segmented.

    Parameters
    ----------
    image : Image
        As it was opened.

    Returns
    -------
    CompletePlane
        The image as it can be computed with; see `complete`.

    Raises
    ------
    InvalidImageError
        If it is a stack, has fewer than 16 × 16 pixels or the same value everywhere; and as in `complete`.
    """
    if image.is_stack:
        raise InvalidImageError(f"Expected one plane; got a stack of shape {image.array.shape}. Choose a slice first.")
    if min(image.shape) < SMALLEST_SIDE:
        raise InvalidImageError(
            f"Expected at least {SMALLEST_SIDE} × {SMALLEST_SIDE} pixels; got {size_text(image.shape)}. Open the image "
            "at its full size."
        )
    plane = complete(image)
    array = plane.image.array
    if array.min() == array.max():
        raise InvalidImageError(f"Every pixel has the value {array.flat[0]}: there is nothing to tell apart.")
    return plane


def check_target(image: Image, settings: Settings) -> None:
    """Check that the target can be looked for in an image of this kind.

    Parameters
    ----------
    image : Image
        As it was opened.
    settings : Settings
        `target` counts.

    Raises
    ------
    InvalidImageError
        If the target is found from Hounsfield units and the image has none.
    """
    if settings.target in HU_TARGETS and image.kind != "ct":
        kind, preset = OTHER_KINDS[image.kind]
        raise InvalidImageError(
            f"The target {settings.target!r} expects CT in Hounsfield units; got {kind}. Choose another preset, for "
            f"example {preset!r}; or, where the values are Hounsfield units, give the image as kind 'ct'."
        )
