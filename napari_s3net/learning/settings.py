"""How a network is learned: the methods, the sizes, and every number that may be chosen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from napari_s3net.errors import InvalidSettingsError
from napari_s3net.setting_fields import CheckedSettings, setting

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
STARTS = ("taught", "random")


@dataclass(frozen=True, kw_only=True)
class LearnSettings(CheckedSettings):
    """How a network is learned: `LearnSettings.describe()` lists every field with its range and help."""

    method: str = setting(
        "plain",
        "Method",
        "Plain learns from labels alone; IDEAL and self-training also from images without; KAF by keypoints.",
        choices=tuple(METHODS),
    )
    backbone: str = setting(
        "unet", "Backbone", "unet: as in the papers. ilka: the project's own attention blocks.", choices=BACKBONES
    )
    start: str = setting(
        "taught",
        "Start",
        "taught: photographs in colour are learned from what the network of synthetic photographs knows already, which "
        "then is the backbone; all others, and KAF, from nothing. random: from nothing.",
        choices=STARTS,
    )
    size: int = setting(
        128,
        "Working size",
        "Side of the square into which each plane is squeezed for the network; a multiple of 16.",
        low=32,
        high=1024,
        step=16,
        unit="px",
    )
    width: int = setting(
        16,
        "Width",
        "Channels of the finest scale, a multiple of 8; each further scale of the U-Net has twice as many.",
        low=8,
        high=128,
        step=8,
        unit="channels",
    )
    steps: int = setting(500, "Steps", "How long it learns.", low=1, high=1_000_000, step=50)
    batch: int = setting(
        8,
        "Batch",
        "Labelled images in each update; methods that use unlabelled images see half as many of these besides.",
        low=1,
        high=1024,
        step=1,
        unit="images",
    )
    learning_rate: float = setting(
        1e-2,
        "Learning rate",
        "The highest, reached by a linear rise and left along a cosine. Pre-training takes a tenth of it.",
        low=1e-6,
        high=1.0,
        step=1e-3,
    )
    unlabelled: float = setting(
        0.5,
        "Weight of unlabelled images",
        "λ, the weight of the loss on unlabelled images once it has risen.",
        low=0.0,
        high=10.0,
        step=0.1,
    )
    ramp: float = setting(
        0.6, "Ramp", "Share of the steps in which the weight of unlabelled images rises.", low=0.0, high=1.0, step=0.1
    )
    confident: float = setting(
        0.9,
        "Confident from",
        "Self-training: pixels whose most likely class has a lower probability do not count.",
        low=0.0,
        high=1.0,
        step=0.05,
    )
    keypoint_width: int = setting(
        32,
        "Keypoint width",
        "KAF: channels of its layers, a multiple of 4; 256 in the paper.",
        low=4,
        high=1024,
        step=4,
        unit="channels",
    )
    keypoint_blocks: int = setting(
        2, "Keypoint blocks", "KAF: self-attention blocks; 6 in the paper.", low=1, high=12, step=1, unit="blocks"
    )
    most_keypoints: int = setting(
        128,
        "Keypoints at most",
        "KAF: of an image; of more, some of every size.",
        low=1,
        high=4096,
        step=32,
        unit="keypoints",
    )
    temperature: float = setting(
        0.2,
        "Temperature",
        "τ of IDEAL's loss, and half of it that of KAF's: 0.2 and 0.1 in the papers.",
        low=0.01,
        high=10.0,
        step=0.05,
    )
    near: float = setting(
        0.35,
        "Near",
        "KAF: slices are alike whose places in their volumes differ by less than this share of the volume.",
        low=0.0,
        high=1.0,
        step=0.05,
    )
    weight_local: float = setting(
        0.0,
        "Weight of the local term",
        "KAF: 0 leaves the term out; the paper has 0.01.",
        low=0.0,
        high=10.0,
        step=0.01,
    )
    mirror: bool = setting(
        True,
        "Mirror",
        "Show half of the images mirrored left and right; leave it out where sides matter, as in the heart.",
    )
    one_piece: bool = setting(
        True,
        "One piece",
        "Classes that are in one piece in every volume that was labelled as a whole keep only their largest piece in "
        "other volumes.",
    )
    look_closer: bool = setting(
        True,
        "Look closer",
        "Of volumes whose object is in one piece and takes up little of their planes, a second network learns to see "
        "it larger, in as many steps again.",
    )
    second_round: bool = setting(
        True,
        "Second round",
        "Where volumes are looked at closer and five or more have no labels, both looks learn once more, in 0.6 of the "
        "steps, and also from the volumes without labels on which they agree most.",
    )
    seed: int = setting(0, "Seed", "Of the first weights and of every draw.", low=0, high=2**31 - 1, step=1)
    validate: bool = setting(
        True, "Set some aside", "From five corrected images on, set a fifth of them aside and tell the Dice on them."
    )

    def check_together(self) -> None:
        """Check that the network can be built.

        Raises
        ------
        InvalidSettingsError
            If a width or the working size is no multiple of what the network divides it by.
        """
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


@dataclass(frozen=True, kw_only=True)
class LearningConstants:
    """What is the same in all learning from labels. Set by hand where no source is named; none was tuned on a set.

    Parameters
    ----------
    average_decay : float
        Decay of the moving average that gives pseudo-labels in self-training: that of the first part of training in
        Tarvainen and Valpola 2017.
    key_decay : float
        Decay of IDEAL's key branch in pre-training.
    pretrain_rate : float
        Learning rate of pre-training, as a share of the settings'. At the small size's own rate KAF's features become
        alike for all planes within ten steps and stay so, its losses at ln 15, that of chance for 8 planes; at a tenth
        they fall, and IDEAL's falls faster: 1.40 against 2.08 after 40 steps (100 planes of ACDC, 48 pixels, width 8).
    tune_rate : float
        Learning rate, as a share of the settings', of a network that was taught on synthetic images. On two draws of
        ten photographs of ISIC 2018 and 100 steps it rose on the others from 0.854 to 0.873 and from 0.848 to 0.864 at
        0.0003, to 0.870 and 0.852 at 0.001.
    most_compared, same_object : int, float
        What the taught network says of so many labelled images is compared with their labels; from this mean Dice on
        both look for the same object.
    strong : float
        Self-training: the network sees intensities changed this many times more than its average does.
    ramp_start : float
        Share of the ramp before which λ is 0: it would be below 0.02 of its height, not worth a pass of the network.
    ramp_slope : float
        λ rises along exp(−slope · (1 − t)²) (Laine and Aila 2017).
    kaf_temperature : float
        τ of KAF as a share of IDEAL's: 0.1 and 0.2 in the papers.
    match_distance : float
        Keypoints of neighbouring slices match within this share of a side, in the L1 norm: 20 of 256 pixels in KAF's
        paper.
    rise : float
        Share of the steps in which the learning rate rises.
    longest_gradient : float
        Gradients are shortened to this length.
    report_every, checkpoint_every, validate_every : int
        Iterations from one step that is yielded on a card, one checkpoint, or one Dice on images set aside, to the
        next; on the CPU every step is yielded.
    validate_from, set_aside : int
        From this many corrected images on, one in `set_aside` of them is set aside.
    fewest_batch, smallest_halved : int
        Where memory runs out, more images an update than the first are halved; then planes that have the second many
        pixels along a side.
    background : float
        Pixels with a background of less probability than this count in the confidence of a prediction.
    """

    average_decay: float = 0.99
    key_decay: float = 0.99
    pretrain_rate: float = 0.1
    tune_rate: float = 0.03
    most_compared: int = 32
    same_object: float = 0.5
    strong: float = 2.5
    ramp_start: float = 0.1
    ramp_slope: float = 5.0
    kaf_temperature: float = 0.5
    match_distance: float = 20 / 256
    rise: float = 0.05
    longest_gradient: float = 5.0
    report_every: int = 10
    checkpoint_every: int = 50
    validate_every: int = 50
    validate_from: int = 5
    set_aside: int = 5
    fewest_batch: int = 2
    smallest_halved: int = 128
    background: float = 0.9


LEARNING = LearningConstants()
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
