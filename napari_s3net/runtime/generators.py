"""Long work is a generator of steps with a result; whoever does not yield them on follows or drains it."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")
Result = TypeVar("Result")


def follow(steps: Generator[Item, Answer | None, Result], hear: Callable[[Item], Answer | None]) -> Result:
    """Go through all steps, send back what `hear` answers to each, and return what the generator returns."""
    answer: Answer | None = None
    while True:
        try:
            step = steps.send(answer)
        except StopIteration as end:
            result: Result = end.value
            return result
        answer = hear(step)


def drain(steps: Generator[Any, Any, Result]) -> Result:
    """Go through all steps and return what the generator returns."""
    return follow(steps, lambda _: None)
