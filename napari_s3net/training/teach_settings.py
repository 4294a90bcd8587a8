"""How a network is taught on synthetic images."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class TeachSettings:
    """How a network is taught.

    Attributes
    ----------
    kind : str
        "skin" or "chest".
    iterations, batch : int
        Updates, and images in each.
    learning_rate : float
        The highest.
    weight_clusters, weight_transformation, weight_spatial : float
        Of the cluster head's cross-entropy and of the two consistency terms, beside the object's, which has 1.
    transformed : float
        Share of each batch that is seen a second time, transformed.
    memory : float
        Decay of the moving average of the weights.
    seed : int
        Of the first weights and of every draw.
    half : bool
        On a card, compute in bfloat16.
    matrices : bool
        On a card, convolve depthwise by matrix products.
    report : int
        Iterations from one `TeachStep` to the next.
    """

    kind: str = "skin"
    iterations: int = 3000
    batch: int = 16
    learning_rate: float = 2e-3
    weight_clusters: float = 0.3
    weight_transformation: float = 0.3
    weight_spatial: float = 0.5
    transformed: float = 0.25
    memory: float = 0.998
    seed: int = 0
    half: bool = True
    matrices: bool = True
    report: int = 20
