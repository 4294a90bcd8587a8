"""Drive long work that is written as a generator.

Such work yields a small record of progress now and then, receives an answer to each (`stop = yield step`: True asks it
to stop and keep what there is), and returns its result. There are three ways to use one: `drain` waits for the result,
`follow` looks at every step and answers it, and `relay` hands the steps on from within another generator.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from typing import Any, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")
Result = TypeVar("Result")


def follow(steps: Generator[Item, Answer | None, Result], on_step: Callable[[Item], Answer | None]) -> Result:
    """Run a generator to its end.

    Parameters
    ----------
    steps : generator
        The work.
    on_step : callable
        Called with each step; what it returns is sent back as the answer. If it raises, the generator is closed.

    Returns
    -------
    object
        What the generator returns.
    """
    answer: Answer | None = None
    with closing(steps):
        while True:
            try:
                step = steps.send(answer)
            except StopIteration as end:
                result: Result = end.value
                return result
            answer = on_step(step)


def drain(steps: Generator[Any, Any, Result]) -> Result:
    """Run a generator to its end without looking at its steps.

    Parameters
    ----------
    steps : generator
        The work; it gets None as the answer to each step.

    Returns
    -------
    object
        What the generator returns.
    """
    return follow(steps, lambda _: None)


def relay(
    steps: Generator[Item, Answer | None, Result], change: Callable[[Item], Item]
) -> Generator[Item, Answer | None, Result]:
    """Yield the steps of a generator, each changed, and pass the answers back to it.

    Closing the relay closes the generator.

    Parameters
    ----------
    steps : generator
        The work.
    change : callable
        Takes a step and returns the one to yield instead.

    Yields
    ------
    object
        The changed steps.

    Returns
    -------
    object
        What the generator returns.
    """
    answer: Answer | None = None
    with closing(steps):
        while True:
            try:
                step = steps.send(answer)
            except StopIteration as end:
                result: Result = end.value
                return result
            answer = yield change(step)
