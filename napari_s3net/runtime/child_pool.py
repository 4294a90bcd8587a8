"""Child processes that stay warm for the next request; any of them may die, and the others go on.

`concurrent.futures.ProcessPoolExecutor` is no help here: when one of its workers dies, the whole pool is broken.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from napari_s3net.runtime.child_process import Child, ChildDiedError, ChildError, OnNews, Reply

_pools: list[ChildPool] = []


class ChildEndedError(ChildError):
    """The group that the request belongs to was ended."""


class ChildPool:
    """Children that run one program, as many as there are threads that ask at the same time.

    A pool is there as long as the program is, and its children end with it at the latest.

    Parameters
    ----------
    command : sequence of str
        What a child runs. It gets one more argument: its slot, the smallest number that no other child of the pool has.
    keep : int, optional
        How many children stay warm between requests; all when left out.
    environment : mapping, optional
        Variables on top of this process's own.
    """

    def __init__(
        self, command: Sequence[str], *, keep: int | None = None, environment: Mapping[str, str] | None = None
    ) -> None:
        self.command, self._keep, self._environment = tuple(command), keep, dict(environment or {})
        self._forget()
        _pools.append(self)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        """Know of no children: there are none yet, or they belong to the process that this one was forked from."""
        self._lock = threading.Lock()
        self._idle: list[Child] = []
        self._busy: dict[Child, str] = {}
        self._ended: set[str] = set()

    @property
    def children(self) -> tuple[Child, ...]:
        """Every child that lives."""
        with self._lock:
            return *self._idle, *self._busy

    def ask(
        self, request: Mapping[str, Any], seconds: float, *, on_news: OnNews | None = None, group: str = ""
    ) -> Reply:
        """Have a child answer a request; from any thread.

        Parameters
        ----------
        request : mapping
            Plain values, for the child's `answer`.
        seconds : float
            Time that the answer may take; the child may ask for another time while it works.
        on_news : callable, optional
            Takes what the child tells before it answers.
        group : str
            Requests of one group can be ended together.

        Returns
        -------
        reply : dict
            As the child gave it.
        array : numpy.ndarray or None
            What came with it, in memory of this process.

        Raises
        ------
        ChildDiedError, ChildTimeoutError, ChildStartError, ChildEndedError
            If there is no answer. A request of which a fresh child died is not tried again.
        MemoryError
            If the array does not fit into this process.
        """
        child = self._take(group)
        if child.is_used:
            # What an earlier request did to its memory may show only now, so this one gets a second chance.
            with suppress(ChildDiedError):
                return self._ask(child, request, seconds, on_news, group)
            child = self._start(group)
        return self._ask(child, request, seconds, on_news, group)

    def _ask(
        self, child: Child, request: Mapping[str, Any], seconds: float, on_news: OnNews | None, group: str
    ) -> Reply:
        """Ask one child, and keep it if it is still good."""
        try:
            reply, array = child.ask(request, seconds, on_news)
        except BaseException as error:  # KeyboardInterrupt too: half an answer may be left in the pipe
            self._give_back(child, keep=False)
            if group in self._ended and isinstance(error, ChildError):
                raise ChildEndedError from None
            raise
        self._give_back(child, keep=not reply.pop("worn", False))
        return reply, array

    def _take(self, group: str) -> Child:
        """A warm child, or a new one."""
        with self._lock:
            if self._idle and group not in self._ended:
                child = self._idle.pop()
                self._busy[child] = group
                return child
        return self._start(group)

    def _start(self, group: str) -> Child:
        """A new child."""
        with self._lock:
            if group in self._ended:
                raise ChildEndedError
            taken = {child.slot for child in (*self._busy, *self._idle)}
            slot = next(n for n in range(len(taken) + 1) if n not in taken)
            child = Child(self.command, slot, self._environment)
            self._busy[child] = group
            return child

    def _give_back(self, child: Child, *, keep: bool) -> None:
        """A child is done with its request, or is not to be used again."""
        with self._lock:
            known = self._busy.pop(child, None) is not None
            if keep and known and (self._keep is None or len(self._idle) < self._keep):
                self._idle.append(child)
                return
        child.close()

    def end(self, group: str) -> None:
        """End whatever works for a group, at once and for good; from any thread.

        Parameters
        ----------
        group : str
            As given when the work was begun.
        """
        with self._lock:
            self._ended.add(group)
            for child, its_group in self._busy.items():
                if its_group == group:
                    child.kill()

    def close_idle(self) -> None:
        """End the children that wait for a request."""
        with self._lock:
            idle, self._idle = self._idle, []
        for child in idle:
            child.close()

    def close(self) -> None:
        """End every child; the next request starts a new one."""
        children = self.children
        with self._lock:
            self._idle, self._busy = [], {}
        for child in children:
            child.close()


@atexit.register
def close_all() -> None:
    """End every child of every pool; the next request starts a new one."""
    for pool in _pools:
        pool.close()
