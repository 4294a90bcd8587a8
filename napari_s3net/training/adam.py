"""Adam without `torch.optim`, whose constructor imports torch's compiler: 1.15 s that a user's first run would wait.

Measured with torch 2.13 on one core; `tests/training/test_adam.py` holds the steps to torch's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor

#: Each parameter begins at a multiple of this many numbers: kernels of a graphics card read 16 bytes and more at once,
#: and fail with "misaligned address" at other places.
ALIGNMENT = 32
#: Decay of the running means of the gradient and of its square, and what is added to the denominator: the paper's.
BETAS, EPSILON = (0.9, 0.999), 1e-8


class Adam:
    """Adam (Kingma and Ba 2015, algorithm 1).

    All parameters become views of one vector, as do their gradients: a network of many small layers then takes a step
    in a handful of operations. So, once this optimiser exists, the network must not be moved to another device or type,
    must not be given to a second Adam, and its gradients must be cleared by `zero_grad` of this class only. A parameter
    that never gets a gradient stays where it is; one that gets none any more moves on with its momentum.

    Parameters
    ----------
    parameters : iterable of torch.Tensor
        What is trained; of one type and on one device.
    learning_rate : float
        Step size, greater than 0.
    stack : int
        Of `stacked` networks: how many, the length of each parameter's first axis. 0 for one network.
    """

    def __init__(self, parameters: Iterable[Tensor], learning_rate: float, stack: int = 0) -> None:
        self.parameters, self.stack = list(parameters), stack
        self.learning_rate, self.steps = learning_rate, 0
        room = sum(map(self._aligned, self.parameters))
        self.values = self.parameters[0].detach().new_zeros((stack, room) if stack else (room,))
        self.gradient = torch.zeros_like(self.values)
        self.first, self.second = torch.zeros_like(self.values), torch.zeros_like(self.values)
        with torch.no_grad():
            for p, value in zip(self.parameters, self._views(self.values), strict=True):
                p.data = value.copy_(p)
        self.zero_grad()

    def zero_grad(self) -> None:
        """Set every gradient to zero."""
        self.gradient.zero_()
        for p, gradient in zip(self.parameters, self._views(self.gradient), strict=True):
            p.grad = gradient

    @torch.no_grad()
    def step(self, running: Tensor | None = None) -> None:
        """Move the parameters along the gradients that were added up since `zero_grad`.

        Parameters
        ----------
        running : torch.Tensor, optional
            Bool, one for each stacked network: the others stay where they are. All move when left out.
        """
        self.steps += 1
        b1, b2 = BETAS
        rate, correction = self.learning_rate / (1 - b1**self.steps), (1 - b2**self.steps) ** 0.5
        self.first.lerp_(self.gradient, 1 - b1)
        self.second.mul_(b2).addcmul_(self.gradient, self.gradient, value=1 - b2)
        divisor = (self.second.sqrt() / correction).add_(EPSILON)
        if running is None:
            self.values.addcdiv_(self.first, divisor, value=-rate)
        else:
            moved = self.values.addcdiv(self.first, divisor, value=-rate)
            self.values.copy_(torch.where(running[:, None] if self.stack else running, moved, self.values))

    def _views(self, vector: Tensor) -> Iterator[Tensor]:
        """A view of each parameter's part of a vector, with the parameter's own layout in memory."""
        start = 0
        for p in self.parameters:
            strides = (vector.stride(0), *p.stride()[1:]) if self.stack else p.stride()
            yield vector.as_strided(p.shape, strides, start)
            start += self._aligned(p)

    def _aligned(self, parameter: Tensor) -> int:
        """Numbers that a parameter takes in the vector of one network, up to where the next one may begin."""
        numbers = parameter.numel() // (self.stack or 1)
        return -(-numbers // ALIGNMENT) * ALIGNMENT
