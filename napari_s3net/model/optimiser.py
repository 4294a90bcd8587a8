"""Adam, without what torch's own drags in: its first use imports torch's compiler, seconds that a first run waits."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor


class Adam:
    """Adam (Kingma and Ba 2015, algorithm 1), for a network whose parameters all get a gradient or none.

    Parameters
    ----------
    parameters : iterable of torch.Tensor
        What is trained.
    learning_rate : float
        Step size, greater than 0.
    betas : tuple of float
        Decay of the running means of the gradient and of its square.
    eps : float
        Keeps the division finite.
    """

    def __init__(
        self,
        parameters: Iterable[Tensor],
        learning_rate: float,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
    ) -> None:
        self.parameters = list(parameters)
        self.learning_rate, self.betas, self.eps, self.steps = learning_rate, betas, eps, 0
        self.first = [torch.zeros_like(p) for p in self.parameters]
        self.second = [torch.zeros_like(p) for p in self.parameters]

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for p in self.parameters:
            p.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Move the parameters that have a gradient."""
        self.steps += 1
        b1, b2 = self.betas
        rate, correction = self.learning_rate / (1 - b1**self.steps), (1 - b2**self.steps) ** 0.5
        for p, first, second in zip(self.parameters, self.first, self.second, strict=True):
            if p.grad is not None:
                first.lerp_(p.grad, 1 - b1)
                second.mul_(b2).addcmul_(p.grad, p.grad, value=1 - b2)
                p.addcdiv_(first, (second.sqrt() / correction).add_(self.eps), value=-rate)
