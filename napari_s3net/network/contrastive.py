"""Contrastive losses: dense and local (IDEAL), and global over images or keypoints (KAF).

Basak et al., "Improved DEnse locAL Contrastive Learning for Semi-Supervised Medical Image Segmentation", ICASSP 2023
(arXiv 2210.15075); Yang et al., NeurIPS 2023 (arXiv 2310.01680), after the supervised contrastive loss of Khosla et al.
2020. Written from the papers' descriptions.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from napari_s3net.network.correspondence import CorrespondenceHead
from napari_s3net.network.keypoint_fusion import KeypointBatch
from napari_s3net.network.unet import ClassNetworkConfig, Encoder

#: Channels of IDEAL's dense projections, as in DenseCL (Wang et al., CVPR 2021); and of KAF's embeddings, as in its
#: published program (`--classes 512` in its README).
DENSE, EMBEDDED = 128, 512
#: In the place of minus infinity, which times zero would be NaN.
FAR = -1e9


def match_features(query: Tensor, key: Tensor) -> Tensor:
    """Find for each place of one view the most similar place of the other: c(i) = argmax_j cos(F_q,i, F_k,j).

    Parameters
    ----------
    query, key : torch.Tensor
        (N, C, L), features of the backbone at L places of each view.

    Returns
    -------
    torch.Tensor
        (N, L) int64, the place in `key`.
    """
    alike = torch.einsum("ncl,ncm->nlm", F.normalize(query, dim=1), F.normalize(key, dim=1))
    return alike.argmax(dim=2)


def dense_contrastive_loss(query: Tensor, key: Tensor, match: Tensor, temperature: float) -> Tensor:
    """Compute mean_i −log exp(r_i·t_c(i)/τ) / (exp(r_i·t_c(i)/τ) + Σ₋ exp(r_i·t₋/τ)) (IDEAL, stage 1).

    The negatives of a place are all other places of the batch's keys.

    Parameters
    ----------
    query, key : torch.Tensor
        (N, D, L), projections of two views; they are normalised here, and the key passes no gradient.
    match : torch.Tensor
        (N, L) int64: c(i), as `match_features` gives it.
    temperature : float
        τ.

    Returns
    -------
    torch.Tensor
        A scalar, in nats.
    """
    N, _, L = query.shape
    r = F.normalize(query, dim=1).transpose(1, 2).flatten(0, 1)
    t = F.normalize(key.detach(), dim=1).transpose(1, 2).flatten(0, 1)
    target = match + L * torch.arange(N, device=match.device)[:, None]
    return F.cross_entropy(r @ t.T / temperature, target.flatten())


def global_contrastive_loss(embeddings: Tensor, positive: Tensor, temperature: float) -> Tensor:
    """Compute mean_i −1/|P(i)| Σ_p log exp(z_i·z_p/τ) / Σ_a≠i exp(z_i·z_a/τ), P(i) being those that are like i.

    Parameters
    ----------
    embeddings : torch.Tensor
        (B, D); they are normalised here.
    positive : torch.Tensor
        (B, B) bool, symmetric: which are alike. What is on the diagonal does not count.
    temperature : float
        τ.

    Returns
    -------
    torch.Tensor
        A scalar: the mean over those that have a positive; 0 where none has.
    """
    itself = torch.eye(len(embeddings), dtype=torch.bool, device=embeddings.device)
    positive = positive & ~itself
    z = F.normalize(embeddings, dim=1)
    log_share = (z @ z.T / temperature).masked_fill(itself, FAR).log_softmax(dim=1)
    count = positive.sum(dim=1)
    per_image = -(log_share.masked_fill(~positive, 0)).sum(dim=1) / count.clamp(min=1)
    return per_image.sum() / (count > 0).sum().clamp(min=1)


class DenseProjector(nn.Module):
    """IDEAL's encoder with a head of 1 × 1 convolutions, which keeps the places that pooling would lose.

    Parameters
    ----------
    config : ClassNetworkConfig
        Of the encoder.
    """

    def __init__(self, config: ClassNetworkConfig) -> None:
        super().__init__()
        self.encoder = Encoder(config)
        deep = config.widths[-1]
        self.head = nn.Sequential(nn.Conv2d(deep, deep, 1), nn.ReLU(), nn.Conv2d(deep, DENSE, 1))

    def forward(self, x: Tensor, points: KeypointBatch | None = None) -> tuple[Tensor, Tensor]:
        """Compute features and projections of a view.

        Parameters
        ----------
        x : torch.Tensor
            (N, C, H, W).
        points : KeypointBatch, optional
            Keypoints, where the encoder uses them.

        Returns
        -------
        features, projections : torch.Tensor
            (N, C, L) and (N, 128, L) at the L places of the coarsest scale.
        """
        features = self.encoder(x, points)[0][-1]
        return features.flatten(2), self.head(features).flatten(2)


class KeypointEmbedder(nn.Module):
    """KAF's encoder with its three heads: of the pooled bottleneck, of the pooled keypoints, and of correspondence.

    Parameters
    ----------
    config : ClassNetworkConfig
        Of the encoder; it has keypoint layers.
    """

    def __init__(self, config: ClassNetworkConfig) -> None:
        super().__init__()
        self.encoder = Encoder(config)
        deep, width = config.widths[-1], config.keypoint_width
        self.of_image = nn.Sequential(nn.Linear(deep, EMBEDDED), nn.ReLU(), nn.Linear(EMBEDDED, EMBEDDED))
        self.join = nn.Linear(len(self.encoder.fusion) * width, width)
        self.of_points = nn.Linear(width, EMBEDDED)
        self.correspondence = CorrespondenceHead(width)

    def forward(self, x: Tensor, points: KeypointBatch) -> tuple[Tensor, Tensor, Tensor]:
        """Embed images and keypoints.

        Parameters
        ----------
        x : torch.Tensor
            (N, C, H, W).
        points : KeypointBatch
            Their keypoints.

        Returns
        -------
        of_image, of_points : torch.Tensor
            (N, 512) each; that of the keypoints is the same for all images that have none.
        described : torch.Tensor
            (N, P, keypoint_width), each keypoint as all scales see it, zero where it is padding.
        """
        features, at_points = self.encoder(x, points)
        described = self.join(torch.cat(at_points, dim=2)) * points.real[..., None]
        mean = described.sum(dim=1) / points.real.sum(dim=1, keepdim=True).clamp(min=1)
        return self.of_image(features[-1].mean(dim=(2, 3))), self.of_points(mean), described
