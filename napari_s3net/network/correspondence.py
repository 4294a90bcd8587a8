"""Which keypoints of two slices are the same place: optimal transport with a dustbin (KAF's local loss).

Yang et al., NeurIPS 2023 (arXiv 2310.01680), after Sarlin et al., "SuperGlue", 2020, and Sinkhorn's algorithm in the
logarithmic domain. Written from the papers' descriptions; keypoints are padded and masked.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from napari_s3net.network.keypoint_fusion import KeypointBatch, SelfAttention

#: Set by hand: SuperGlue takes 100, in which the rows' sums come nearer to what they are to be.
SINKHORN_STEPS = 30
#: Weights of matched and of unmatched keypoints in the local loss: KAF's.
MATCHED, UNMATCHED = 0.45, 1.0
#: In the place of the logarithm of zero: a difference of two infinities would be NaN.
NOWHERE = -1e9


def log_sinkhorn(scores: Tensor, log_rows: Tensor, log_columns: Tensor, steps: int = SINKHORN_STEPS) -> Tensor:
    """Find the transport whose rows and columns have given sums, P = diag(u) exp(scores) diag(v), in logarithms.

    Parameters
    ----------
    scores : torch.Tensor
        (N, R, C).
    log_rows, log_columns : torch.Tensor
        (N, R) and (N, C), logarithms of the sums; both have the same total. A row or column that does not take part
        has a large negative number.
    steps : int
        Of the alternation; the columns' sums are exact, the rows' converge.

    Returns
    -------
    torch.Tensor
        (N, R, C), log P.
    """
    u, v = torch.zeros_like(log_rows), torch.zeros_like(log_columns)
    for _ in range(steps):
        u = log_rows - (scores + v[:, None]).logsumexp(dim=2)
        v = log_columns - (scores + u[:, :, None]).logsumexp(dim=1)
    return scores + u[:, :, None] + v[:, None]


def transport_with_dustbin(scores: Tensor, first: Tensor, second: Tensor, dustbin: Tensor) -> Tensor:
    """Match keypoints softly; each may go to a dustbin instead.

    With m and n keypoints, each of these has mass 1 / (m + n), the dustbin of the rows has n / (m + n), and that of the
    columns m / (m + n). The result is multiplied by m + n, so that each keypoint's row sums to one.

    Parameters
    ----------
    scores : torch.Tensor
        (N, P, Q), how well keypoints fit each other.
    first, second : torch.Tensor
        (N, P) and (N, Q) bool: False where it is padding.
    dustbin : torch.Tensor
        A scalar, the score of not being matched.

    Returns
    -------
    torch.Tensor
        (N, P + 1, Q + 1), logarithms; the last row and column are the dustbins.
    """
    N, P, Q = scores.shape
    wide = torch.cat([scores, dustbin.expand(N, P, 1)], dim=2)
    wide = torch.cat([wide, dustbin.expand(N, 1, Q + 1)], dim=1)
    m, n = first.sum(dim=1).to(scores), second.sum(dim=1).to(scores)
    total = (m + n).clamp(min=1).log()
    rows = torch.zeros_like(scores[:, :, 0]).masked_fill(~first, NOWHERE)
    columns = torch.zeros_like(scores[:, 0]).masked_fill(~second, NOWHERE)
    log_rows = torch.cat([rows, n.clamp(min=1e-6).log()[:, None]], dim=1) - total[:, None]
    log_columns = torch.cat([columns, m.clamp(min=1e-6).log()[:, None]], dim=1) - total[:, None]
    return log_sinkhorn(wide, log_rows, log_columns) + total[:, None, None]


def local_loss(log_transport: Tensor, matches: Tensor, first: Tensor, second: Tensor) -> Tensor:
    """Compute the negative log-likelihood of the matches, and of the dustbin for keypoints without one.

    Parameters
    ----------
    log_transport : torch.Tensor
        (N, P + 1, Q + 1), from `transport_with_dustbin`.
    matches : torch.Tensor
        (N, P, Q) bool, at most one in each row and column.
    first, second : torch.Tensor
        (N, P) and (N, Q) bool: False where it is padding.

    Returns
    -------
    torch.Tensor
        A scalar: `MATCHED` times the mean over the matches plus `UNMATCHED` times the mean over the keypoints of both
        slices that have none; 0 where there are no keypoints.
    """
    matches = matches & first[:, :, None] & second[:, None]
    lonely_first, lonely_second = first & ~matches.any(dim=2), second & ~matches.any(dim=1)
    inner = log_transport[:, :-1, :-1].masked_fill(~matches, 0).sum()
    outer = log_transport[:, :-1, -1].masked_fill(~lonely_first, 0).sum()
    outer = outer + log_transport[:, -1, :-1].masked_fill(~lonely_second, 0).sum()
    unmatched = (lonely_first.sum() + lonely_second.sum()).clamp(min=1)
    return -MATCHED * inner / matches.sum().clamp(min=1) - UNMATCHED * outer / unmatched


class CorrespondenceHead(nn.Module):
    """Cross-attention between the keypoints of two slices, and the scores of their pairs.

    Parameters
    ----------
    width : int
        D of the keypoints' features.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.cross = SelfAttention(width)
        self.project = nn.Linear(width, width)
        self.dustbin = nn.Parameter(torch.ones(()))

    def forward(
        self, first: Tensor, second: Tensor, first_points: KeypointBatch, second_points: KeypointBatch
    ) -> Tensor:
        """Match the keypoints of two slices.

        Parameters
        ----------
        first, second : torch.Tensor
            (N, P, D) and (N, Q, D), features of the keypoints.
        first_points, second_points : KeypointBatch
            Which of them are real.

        Returns
        -------
        torch.Tensor
            (N, P + 1, Q + 1), from `transport_with_dustbin`.
        """
        real, other = first_points.real, second_points.real
        a = self.project(self.cross(first, real, second, other))
        b = self.project(self.cross(second, other, first, real))
        scores = a @ b.transpose(1, 2) / a.shape[2] ** 0.5
        return transport_with_dustbin(scores, real, other, self.dustbin)
