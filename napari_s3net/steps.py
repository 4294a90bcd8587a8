"""Long work is a generator of steps with a result; whoever does not watch drains it."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, TypeVar

Result = TypeVar("Result")


def drain(steps: Generator[Any, Any, Result]) -> Result:
    """Go through all steps and return what the generator returns."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: Result = end.value
            return result
