"""Apply a model to a folder by the batch engine, with the steps of a job of the Learn dock."""

from __future__ import annotations

from pathlib import Path

from napari_s3net.batch import Plan
from napari_s3net.learning.steps import ReadStep
from napari_s3net.plugin.jobs.batch_job import BatchJob
from napari_s3net.plugin.jobs.stepped_job import LEARN, JobUpdate


class FolderJob:
    """A batch whose steps are counted like those of the dock's other jobs.

    Parameters
    ----------
    source, output : Path
        Folders of images and of results.
    model : Path
        What was learned.
    """

    after_reading = "Writing the report…"
    if_stopped = "Stopping; images that are finished are kept…"

    def __init__(self, source: Path, output: Path, model: Path) -> None:
        self._job = BatchJob(Plan(source=source, output=output, model=model, recursive=True))
        self._job.what = LEARN
        self._done, self._total = 0, 0
        self._outcome: object = None

    def start(self) -> None:
        """Begin in a thread of its own."""
        self._job.start()

    def pause(self, paused: bool) -> None:
        """Finish the files under way and begin no other; False goes on.

        Parameters
        ----------
        paused : bool
            True to wait, False to go on.
        """
        self._job.pause(paused)

    def stop(self) -> None:
        """End now; what is finished is kept."""
        self._job.stop()

    def cancel(self) -> None:
        """As `stop`."""
        self._job.stop()

    @property
    def is_over(self) -> bool:
        """Whether the thread is done."""
        return self._job.is_over

    def take_outcome(self) -> object:
        """Hand over what came of it.

        Returns
        -------
        Summary or Failure
            As `BatchJob` gives it.
        """
        return self._outcome

    def collect(self) -> JobUpdate:
        """Take what has come since the last call.

        Returns
        -------
        JobUpdate
            A step when it is known how many files there are, and for those that are over.
        """
        update = self._job.collect()
        self._outcome = update.outcome or self._outcome
        self._total = len(update.items) if update.items is not None else self._total
        over = sum(row.is_final for row in update.rows)
        self._done += over
        return JobUpdate((ReadStep(self._done, self._total),) if over or update.items else ())
