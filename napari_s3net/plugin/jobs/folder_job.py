"""Apply a model to a folder by the batch engine, with the steps of a job of the Learn dock."""

from __future__ import annotations

from dataclasses import replace

from napari_s3net.batch import FileRow, Plan, Summary, find_items, iter_batch, open_executor
from napari_s3net.learning.steps import ReadStep
from napari_s3net.plugin.jobs.stepped_job import SteppedJob
from napari_s3net.runtime.generators import follow


class FolderJob(SteppedJob):
    """A batch whose steps are the files that are over.

    Parameters
    ----------
    plan : Plan
        Folders of images and of results, and what was learned. Whether reviewed results may go was asked before.
    """

    title = "batch"
    after_reading = "Writing the report…"
    if_stopped = "Stopping; images that are finished are kept…"

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.plan = plan

    def cancel(self) -> None:
        """As `stop`: nothing of a batch is undone."""
        self.stop()

    def _do(self) -> Summary:
        items = find_items(self.plan)
        self._steps.append(ReadStep(done := 0, len(items)))

        def on_progress(row: FileRow | None) -> bool | None:
            nonlocal done
            if row is not None and row.is_final:
                self._steps.append(ReadStep(done := done + 1, len(items)))
            return self._stop.is_set() or None

        with open_executor() as executor:
            paused = replace(executor, paused=self._paused)  # which finishes the files under way first
            rows = iter_batch(self.plan, items=items, executor=paused, replace_reviewed=True)
            return follow(rows, on_progress)
