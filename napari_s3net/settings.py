"""Every setting of a segmentation with its range, step, unit, label and help, written once; and the presets."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from napari_s3net.errors import InvalidSettingsError
from napari_s3net.setting_fields import CheckedSettings, setting


@dataclass(frozen=True, kw_only=True)
class Settings(CheckedSettings):
    """What a segmentation is asked to do: `Settings.describe()` lists every field with its range and help."""

    seed: int = setting(
        0,
        "Seed",
        "The same seed gives the same labels on the CPU; another seed, another start.",
        low=0,
        high=2**31 - 1,
        step=1,
    )
    min_labels: int = setting(
        3,
        "Stop at",
        "A long run ends early once no more clusters than this are left. It does not say how many there will be: they "
        "are fewer only with many more iterations, or fewer clusters at start.",
        low=2,
        high=32,
        step=1,
        unit="clusters",
    )
    max_iter: int = setting(
        4,
        "Iterations at most",
        "More iterations smooth and merge further, and take longer.",
        low=1,
        high=1000,
        step=1,
        unit="iterations",
        basic=True,
    )
    variant: str = setting(
        "s3net",
        "Method",
        "s3net: the four ideas with working losses. released: the published code's mathematics, for comparison.",
        choices=("s3net", "released"),
    )
    target: str = setting(
        "central",
        "Object",
        "How the object is proposed. lesion: differs from the skin around it. lung: air inside the body. "
        "body: tissue inside the body. central: differs from what lies along the border.",
        choices=("lesion", "lung", "body", "central"),
    )
    start: str = setting(
        "taught",
        "Start",
        "taught: a network that has learned from synthetic images, none of them real, says where the object is, for "
        "photographs of skin in colour. random: nothing but this very image, as published.",
        choices=("taught", "random"),
    )
    working_size: int = setting(
        128,
        "Working size",
        "Longer side at which the network works. Larger keeps finer detail and takes longer.",
        low=32,
        high=1024,
        step=32,
        unit="px",
        basic=True,
    )
    clusters: int = setting(
        8,
        "Clusters at start",
        "Into how many clusters the image is divided at first; with many iterations some merge. Fewer: a coarser map.",
        low=2,
        high=64,
        step=1,
        unit="clusters",
        basic=True,
    )
    channels: int = setting(
        16,
        "Feature channels",
        "Width of the network. Wider can follow finer differences and takes longer.",
        low=4,
        high=128,
        step=4,
        unit="channels",
    )
    learning_rate: float = setting(
        0.02,
        "Learning rate",
        "Size of each update. Too large jumps, too small stands still.",
        low=1e-4,
        high=1.0,
        step=0.005,
    )
    attention: bool = setting(
        True, "Attention", "Large-kernel attention in the network. Off: plain 3 × 3 convolutions, for comparison."
    )
    offsets: str = setting(
        "predicted",
        "Offsets",
        "Where the deformable layer looks: predicted from the image, none (a plain convolution), or free "
        "(as published, the same for every image).",
        choices=("predicted", "none", "free"),
    )
    weight_cluster: float = setting(
        1.0, "Weight: cluster", "How firmly each pixel is drawn to its own cluster.", low=0.0, high=20.0, step=0.1
    )
    weight_transformation: float = setting(
        1.0,
        "Weight: transform",
        "How firmly the labels have to move with the image when it is turned, scaled or sheared.",
        low=0.0,
        high=20.0,
        step=0.1,
    )
    weight_spatial: float = setting(
        1.0,
        "Weight: spatial",
        "How firmly neighbouring pixels of similar colour have to share a cluster.",
        low=0.0,
        high=20.0,
        step=0.1,
    )
    rotation: float = setting(
        45.0,
        "Rotation up to",
        "Largest random turn in the transformation loss.",
        low=0.0,
        high=180.0,
        step=5.0,
        unit="°",
    )
    scale: float = setting(
        0.2,
        "Scale up to",
        "Largest random change of size in the transformation loss: 0.2 is ± 20 %.",
        low=0.0,
        high=0.5,
        step=0.05,
    )
    shear: float = setting(
        0.1, "Shear up to", "Largest random shear in the transformation loss.", low=0.0, high=0.5, step=0.05
    )
    translation: float = setting(
        0.1,
        "Shift up to",
        "Largest random shift in the transformation loss, as a share of the image.",
        low=0.0,
        high=0.5,
        step=0.05,
    )
    window_low: float = setting(
        -1000.0,
        "Window from",
        "CT: values below are shown and seen as black.",
        low=-2000.0,
        high=4000.0,
        step=10.0,
        unit="HU",
    )
    window_high: float = setting(
        1000.0,
        "Window to",
        "CT: values above are shown and seen as white.",
        low=-2000.0,
        high=4000.0,
        step=10.0,
        unit="HU",
    )
    remove_hair: bool = setting(
        False, "Remove hairs", "Photographs of skin: where there are many thin dark lines, they are filled in first."
    )
    min_area: float = setting(
        0.1,
        "Smallest part",
        "Parts of the object smaller than this share of the image are left out.",
        low=0.0,
        high=20.0,
        step=0.1,
        unit="% of the image",
    )
    sharpen_boundary: bool = setting(
        True, "Sharpen boundary", "Follow the full-resolution image at the border of the object."
    )

    def check_together(self) -> None:
        """Check what one field alone cannot tell.

        Raises
        ------
        InvalidSettingsError
            If the window's ends are in the wrong order.
        """
        if self.window_low >= self.window_high:
            raise InvalidSettingsError(
                f"window_low has to be below window_high; got {self.window_low:g} and {self.window_high:g} HU."
            )

    def working_shape(self, shape: tuple[int, ...]) -> tuple[int, int]:
        """Say at which size the network works on an image.

        Parameters
        ----------
        shape : tuple of int
            Rows and columns of the image.

        Returns
        -------
        tuple of int
            Rows and columns. The longer side is `working_size`; a smaller image is not enlarged, and no side is
            shorter than 8.
        """
        factor = min(1.0, self.working_size / max(shape))
        return max(8, round(shape[0] * factor)), max(8, round(shape[1] * factor))

    @property
    def digest(self) -> str:
        """Twelve hexadecimal digits that are equal exactly for equal settings."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Preset:
    """Ready-made settings with a name for the screen."""

    label: str
    help: str
    settings: Settings


presets: Mapping[str, Preset] = {
    "skin": Preset(
        "Skin lesion",
        "Dermoscopy or close-up photographs in colour.",
        Settings(target="lesion", clusters=12, remove_hair=True, sharpen_boundary=False),
    ),
    "ct-lung": Preset(
        "CT lung",
        "Chest CT in Hounsfield units; the lungs are proposed.",
        Settings(target="lung", working_size=192, window_low=-1000.0, window_high=200.0),
    ),
    "ct-soft": Preset(
        "CT soft tissue",
        "CT in Hounsfield units; the body's tissue is told apart.",
        Settings(target="body", window_low=-160.0, window_high=240.0),
    ),
    "mri": Preset("MRI", "Magnetic resonance; intensities have no fixed unit.", Settings(target="central")),
    "generic": Preset("Generic", "Any other grey or colour image.", Settings(target="central")),
}


def preset_settings(name: str) -> Settings:
    """Look up the settings of a preset.

    Parameters
    ----------
    name : str
        A key of `presets`.

    Returns
    -------
    Settings
        Ready to use.

    Raises
    ------
    InvalidSettingsError
        If there is no preset of this name; the message lists those that there are.
    """
    if name not in presets:
        raise InvalidSettingsError(f"There is no preset {name!r}. Presets are: {', '.join(presets)}.")
    return presets[name].settings
