"""Slices shared over threads, and what comes of them in the slices' order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import torch

Result = TypeVar("Result")
#: At most this many slices are begun before the first is handed out, so that memory does not grow with the depth.
AHEAD = 4


@contextmanager
def workers() -> Iterator[ThreadPoolExecutor]:
    """Share slices over as many threads as torch may use, each of which computes alone.

    Yields
    ------
    ThreadPoolExecutor
        What waits in it is dropped at the end, and what is under way is waited for.
    """
    pool = ThreadPoolExecutor(torch.get_num_threads(), initializer=torch.set_num_threads, initargs=(1,))
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def in_order(pool: ThreadPoolExecutor, work: Callable[[int], Result], n: int) -> Iterator[tuple[int, Result]]:
    """Do work for each slice in the pool.

    Parameters
    ----------
    pool : ThreadPoolExecutor
        Who does it.
    work : callable
        Called with the number of a slice.
    n : int
        How many slices there are.

    Yields
    ------
    tuple
        Number of the slice, and what `work` returned; in order.
    """
    waiting: deque[Future[Result]] = deque(pool.submit(work, index) for index in range(min(AHEAD, n)))
    for index in range(n):
        result = waiting.popleft().result()
        if index + AHEAD < n:
            waiting.append(pool.submit(work, index + AHEAD))
        yield index, result
