"""How a network is taught on synthetic images."""

from __future__ import annotations

from dataclasses import dataclass

from napari_s3net.setting_fields import CheckedSettings, setting


@dataclass(frozen=True, kw_only=True)
class TeachSettings(CheckedSettings):
    """How a network is taught: `TeachSettings.describe()` lists every field with its range and help."""

    kind: str = setting("skin", "Kind", "Which images are painted.", choices=("skin", "chest"))
    iterations: int = setting(3000, "Iterations", "Updates in all.", low=1, high=100_000_000, step=100)
    batch: int = setting(16, "Batch", "Images in each update.", low=1, high=100_000, step=1, unit="images")
    learning_rate: float = setting(
        2e-3,
        "Learning rate",
        "The highest, reached by a linear rise and left along a cosine.",
        low=1e-6,
        high=1.0,
        step=1e-3,
    )
    weight_clusters: float = setting(
        0.3,
        "Weight of the clusters",
        "Of the cluster head's cross-entropy, beside the object's, which has 1.",
        low=0.0,
        high=100.0,
        step=0.1,
    )
    weight_transformation: float = setting(
        0.3,
        "Weight of the transformation loss",
        "Of holding a transformed image to the transformed answer; 0 leaves it out.",
        low=0.0,
        high=100.0,
        step=0.1,
    )
    weight_spatial: float = setting(
        0.5,
        "Weight of the spatial loss",
        "Of holding neighbours that look alike together; 0 leaves it out.",
        low=0.0,
        high=100.0,
        step=0.1,
    )
    transformed: float = setting(
        0.25,
        "Transformed",
        "Share of each batch that is seen a second time, transformed.",
        low=0.0,
        high=1.0,
        step=0.05,
    )
    memory: float = setting(
        0.998, "Memory", "Decay of the moving average of the weights.", low=0.0, high=1.0, step=0.001
    )
    seed: int = setting(0, "Seed", "Of the first weights and of every draw.", low=0, high=2**31 - 1, step=1)
    half: bool = setting(True, "Half precision", "On a card, compute in bfloat16.")
    matrices: bool = setting(True, "By matrices", "On a card, convolve depthwise by matrix products.")
    report: int = setting(
        20, "Report every", "From one step that is told to the next.", low=1, high=100_000_000, step=10
    )


@dataclass(frozen=True, kw_only=True)
class TeachingConstants:
    """What is the same whenever a network is taught. Set by hand; not tuned on a set.

    Parameters
    ----------
    rise : int
        Iterations of a linear rise before the learning rate falls along a cosine; at most a tenth of all.
    longest_gradient : float
        Gradients are shortened to this length.
    weight_moved_clusters : float
        Of the clusters in the transformation loss, beside the object, which has 1.
    """

    rise: int = 200
    longest_gradient: float = 1.0
    weight_moved_clusters: float = 0.3


TEACHING = TeachingConstants()
