"""Results of a batch one after another in the viewer; what comes next is read ahead."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from napari.utils.notifications import show_error

from napari_s3net.batch import FileRow, Item, Plan
from napari_s3net.errors import S3NetError
from napari_s3net.plugin.batch.open_row import OpenedResult, ReadResult, item_of, read_result
from napari_s3net.plugin.jobs.prefetch import Prefetch, stamp
from napari_s3net.plugin.layers.result_layer import layers_of
from napari_s3net.plugin.layers.view import hide_others, show_whole


class ResultOpener:
    """Opens one result at a time.

    Parameters
    ----------
    viewer : napari.Viewer
        Gets image and labels.
    """

    def __init__(self, viewer: Any) -> None:
        self._viewer = viewer
        self._opened: OpenedResult | None = None
        self._ahead: Prefetch[ReadResult] = Prefetch()

    def open(
        self, plan: Plan, items: dict[str, Item], row: FileRow, following: FileRow | None = None
    ) -> OpenedResult | None:
        """Open image and labels in place of those that were opened before, unless these were changed.

        Parameters
        ----------
        plan : Plan
            Of the batch.
        items : dict of str to Item
            What is worked on, by its file.
        row : FileRow
            The result.
        following : FileRow, optional
            The result that comes next.

        Returns
        -------
        OpenedResult or None
            None where it cannot be opened; napari's notification says why.
        """
        before, self._opened = self._opened, None
        done_with = before if before is not None and not before.is_changed else None
        try:
            self._opened = OpenedResult(self._viewer, self._ahead.take(*_reading(plan, items, row)), done_with)
        except Exception as error:  # noqa: BLE001 - a file may fail in any way, and napari must not go down with it
            show_error(str(error))
            if done_with is not None:
                done_with.close()
        else:
            image = self._opened.image_layer
            hide_others(self._viewer, *layers_of(self._viewer.layers, image), self._opened.layer)
        show_whole(self._viewer)
        if following is not None:
            with suppress(S3NetError):  # told when it is its turn
                key, read = _reading(plan, items, following)
                if key[-1] is not None:
                    self._ahead.begin(key, read)
        return self._opened

    def forget_ahead(self) -> None:
        """Nothing comes next."""
        self._ahead.forget()

    def release(self) -> None:
        """Let go of what was opened and read."""
        self._ahead.forget()
        self._opened = None


def _reading(plan: Plan, items: dict[str, Item], row: FileRow) -> tuple[tuple[Any, ...], Callable[[], ReadResult]]:
    """What is read of a result, and how."""
    item, output = item_of(plan, items, row), plan.output
    return (output, row.file, stamp(item.path)), partial(read_result, item, row, output)
