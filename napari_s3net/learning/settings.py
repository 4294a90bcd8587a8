"""How a network is learned: the methods, the sizes, and every number that may be chosen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from napari_s3net.errors import InvalidSettingsError

#: Method → what it is called on the screen.
METHODS = {
    "plain": "Plain (supervised only)",
    "self-training": "Self-training",
    "ideal": "IDEAL",
    "kaf": "KAF",
}
#: Those that can be pre-trained on images without labels.
PRETRAINED = ("ideal", "kaf")
BACKBONES = ("unet", "ilka")


@dataclass(frozen=True, kw_only=True)
class LearnSettings:
    """How a network is learned.

    Attributes
    ----------
    method : str
        One of `METHODS`.
    backbone : str
        "unet" or "ilka", the project's own attention blocks.
    size : int
        Pixels along the longer side of what the network sees; a multiple of 16.
    width : int
        Channels of the finest scale, a multiple of eight; each further scale of the U-Net has twice as many.
    steps, batch : int
        Updates, and labelled images in each; methods that use unlabelled images see half as many of these besides.
    learning_rate : float
        The highest, reached by a linear rise and left along a cosine.
    unlabelled : float
        λ, the weight of the loss on unlabelled images once it has risen.
    ramp : float
        Share of the steps in which λ rises from 0.
    confident : float
        Of self-training: pixels whose most likely class has a lower probability do not count.
    keypoint_width, keypoint_blocks : int
        Of KAF's layers; the paper has 256 and 6.
    most_keypoints : int
        Of an image, the strongest.
    temperature : float
        τ of IDEAL's loss, and half of it that of KAF's (0.2 and 0.1 in the papers).
    near : float
        Of KAF: slices are alike whose places in their volumes differ by less than this share of the volume.
    weight_local : float
        Of KAF's local term; 0 leaves it out. The paper has 0.01.
    mirror : bool
        Show half of the images mirrored left and right; to be left out where sides matter, as in the heart.
    seed : int
        Of the first weights and of every draw.
    validate : bool
        From five corrected images on, set a fifth of them aside and tell the Dice on them.
    """

    method: str = "plain"
    backbone: str = "unet"
    size: int = 128
    width: int = 16
    steps: int = 500
    batch: int = 8
    learning_rate: float = 5e-3
    unlabelled: float = 0.5
    ramp: float = 0.6
    confident: float = 0.9
    keypoint_width: int = 32
    keypoint_blocks: int = 2
    most_keypoints: int = 128
    temperature: float = 0.2
    near: float = 0.35
    weight_local: float = 0.0
    mirror: bool = True
    seed: int = 0
    validate: bool = True

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise InvalidSettingsError(f"A method is one of {', '.join(METHODS)}; got {self.method!r}.")
        if self.backbone not in BACKBONES:
            raise InvalidSettingsError(f"A backbone is one of {', '.join(BACKBONES)}; got {self.backbone!r}.")
        for name, (low, high) in LIMITS.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
                raise InvalidSettingsError(f"{name} lies between {low} and {high}; got {value!r}.")
        for name, unit in (("size", 16), ("width", 8), ("keypoint_width", 4)):
            if getattr(self, name) % unit:
                raise InvalidSettingsError(f"{name} is a multiple of {unit}; got {getattr(self, name)}.")

    @property
    def needs_unlabelled(self) -> bool:
        """Whether images without labels are learned from as well."""
        return self.method in ("self-training", "ideal")

    @property
    def uses_keypoints(self) -> bool:
        """Whether the network has keypoint layers."""
        return self.method == "kaf"

    def replace(self, **changes: Any) -> LearnSettings:
        """Copy the settings with some changed.

        Parameters
        ----------
        **changes
            New values by name.

        Returns
        -------
        LearnSettings
            Checked.

        Raises
        ------
        InvalidSettingsError
            If a name is unknown or a value out of range.
        """
        if unknown := changes.keys() - {f.name for f in fields(self)}:
            raise InvalidSettingsError(f"There is no setting {sorted(unknown)[0]!r} of learning.")
        return replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """Convert to plain values.

        Returns
        -------
        dict
            By name.
        """
        return asdict(self)


#: The least and the largest value of each number.
LIMITS: Mapping[str, tuple[float, float]] = {
    "size": (32, 1024),
    "width": (8, 128),
    "steps": (1, 1_000_000),
    "batch": (1, 1024),
    "learning_rate": (1e-6, 1.0),
    "unlabelled": (0.0, 10.0),
    "ramp": (0.0, 1.0),
    "confident": (0.0, 1.0),
    "keypoint_width": (4, 1024),
    "keypoint_blocks": (1, 12),
    "most_keypoints": (1, 4096),
    "temperature": (0.01, 10.0),
    "near": (0.0, 1.0),
    "weight_local": (0.0, 10.0),
    "seed": (0, 2**31 - 1),
}
#: Ready-made sizes: small for a CPU, standard for a graphics card, whose values are the papers' where they tell them.
SIZES: Mapping[str, Mapping[str, Any]] = {
    "small": {},
    "standard": {
        "size": 256,
        "width": 32,
        "steps": 10_000,
        "batch": 16,
        "learning_rate": 1e-3,
        "keypoint_width": 256,
        "keypoint_blocks": 6,
        "most_keypoints": 512,
    },
}


def learn_settings(preset: str = "small", **changes: Any) -> LearnSettings:
    """Make settings from a ready-made size.

    Parameters
    ----------
    preset : str
        "small" or "standard".
    **changes
        What is to be otherwise, by name.

    Returns
    -------
    LearnSettings
        Checked.

    Raises
    ------
    InvalidSettingsError
        If there is no such size or setting, or a value is out of range.
    """
    if preset not in SIZES:
        raise InvalidSettingsError(f"A size is one of {', '.join(SIZES)}; got {preset!r}.")
    return LearnSettings().replace(**{**SIZES[preset], **changes})
