"""Work of the Correct dock beside the screen: a re-run, or a look at how sure a result is."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QObject, QTimer, Signal

from napari_s3net.image import Image
from napari_s3net.plugin.jobs.activity import Activity
from napari_s3net.plugin.jobs.run import PlaneJob, spare_core
from napari_s3net.plugin.jobs.session import POLL_MS
from napari_s3net.plugin.jobs.thread_job import is_busy
from napari_s3net.plugin.layers.source import Source
from napari_s3net.progress import Notice, Step
from napari_s3net.result import Segmentation
from napari_s3net.settings import Settings

if TYPE_CHECKING:
    import torch

    from napari_s3net.correction.refiner import Refiner

MakeSteps = Callable[[Image], Generator[Step | Notice, bool | None, Any]]


class Background(QObject):
    """One job after another; tells when it is over.

    Signals
    -------
    stepped(object)
        The newest `Step` of the job.
    over(object)
        What the job returned, or a `Failure`; None after a cancel.
    """

    stepped = Signal(object)
    over = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        #: The job that goes on, as a list of none or one that outlives the dock.
        self.running: list[PlaneJob] = []
        self._activity = Activity()
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self._tick)

    @property
    def is_busy(self) -> bool:
        """Whether a job goes on here, or a run anywhere in this process."""
        return bool(self.running) or is_busy()

    def start(self, source: Source, settings: Settings, make: MakeSteps) -> None:
        """Begin a job in a thread; `over` tells when it has ended.

        Parameters
        ----------
        source : Source
            The plane to work on; it is read in the thread.
        settings : Settings
            Those of the result that is worked on.
        make : callable
            Called in the thread with the image; gives a generator of steps.

        Raises
        ------
        RuntimeError
            If another job, run or batch goes on.
        """
        job = PlaneJob(source, settings, make)
        job.start()
        self.running[:] = [job]
        self._activity.begin(f"Working on {source.name}")
        self._timer.start()

    def stop(self) -> None:
        """Ask the job to end soon and keep what it has; `over` tells when it has ended."""
        for job in self.running:
            job.stop()

    def cancel(self) -> None:
        """Ask the job to end and keep nothing; `over` tells when it has ended."""
        for job in self.running:
            job.cancel()

    def release(self) -> None:
        """Cancel the job and hear nothing more of it; its thread ends by itself after its iteration."""
        for job in self.running:
            job.cancel()
        self._end()

    def _tick(self) -> None:
        update = self.running[0].collect()
        if update.steps:
            self._activity.show(update.steps[-1].iteration, update.steps[-1].total)
            self.stepped.emit(update.steps[-1])
        if update.over:
            self._end()
            self.over.emit(update.outcome)

    def _end(self) -> None:
        self._timer.stop()
        self.running.clear()
        self._activity.close()


class RefinerCache:
    """What a re-run prepares of an image, kept for the next one."""

    def __init__(self) -> None:
        self._key: tuple[Any, ...] = ()
        self._data: Any = None
        self._refiner: Refiner | None = None

    def refiner(self, image: Image, source: Source, settings: Settings, device: torch.device) -> Refiner:
        """Give the refiner of an image; it is kept until image, settings or device change. Called in the thread.

        Parameters
        ----------
        image : Image
            The plane, as read from `source`.
        source : Source
            Says whether the image is the same as the last time.
        settings : Settings
            Those of the result that is corrected.
        device : torch.device
            Where to compute.

        Returns
        -------
        Refiner
            The one of the last call where nothing has changed, else a new one.
        """
        from napari_s3net.correction.refiner import Refiner

        key = source.key, settings.digest, str(device)
        if self._refiner is None or key != self._key or source.data is not self._data:
            self.forget()  # first: memory may be short
            self._refiner = Refiner(image, settings, device=device)
            self._key, self._data = key, source.data
        return self._refiner

    def forget(self) -> None:
        """Drop the refiner and the image that it holds."""
        self._key, self._data, self._refiner = (), None, None


def rerun(
    prepared: RefinerCache,
    source: Source,
    result: Segmentation,
    constraints: NDArray[np.int32],
    locked: Collection[int],
    held: NDArray[np.bool_] | None,
) -> MakeSteps:
    """Prepare a re-run with strokes and locks; where memory runs out, it begins again smaller or on the CPU.

    Parameters
    ----------
    prepared : RefinerCache
        What earlier re-runs have prepared.
    source : Source
        The plane.
    result : Segmentation
        What is corrected, (H, W).
    constraints : numpy.ndarray
        (H, W) int32: 0 where nothing is drawn, else a label or `constraints.OBJECT` or `constraints.BACKGROUND`.
    locked : collection of int
        Labels that stay as they are.
    held : numpy.ndarray or None
        (H, W) bool: pixels that stay as they are; None where there are none.

    Returns
    -------
    callable
        For `Background.start`; the job's outcome is the corrected `Segmentation`.
    """

    def make(image: Image) -> Generator[Step | Notice, bool | None, Segmentation]:
        from napari_s3net.runtime.oom_retry import iter_retrying

        def attempt(settings: Settings, device: torch.device) -> Generator[Step, bool | None, Segmentation]:
            refiner = prepared.refiner(image, source, settings, device)
            return refiner.iter_rerun(result, constraints, locked=locked, locked_region=held)

        with spare_core():
            return (yield from iter_retrying(attempt, result.settings, "auto"))

    return make


def estimate_uncertainty(result: Segmentation, over: str) -> MakeSteps:
    """Prepare an estimate of how sure a result is at each pixel.

    Parameters
    ----------
    result : Segmentation
        Of the plane, (H, W).
    over : {"probabilities", "transformations", "seeds"}
        What the estimate is made from; see `correction.uncertainty.uncertainty`.

    Returns
    -------
    callable
        For `Background.start`; the job's outcome is an array (H, W), float32 from 0 (sure) to 1.
    """

    def make(image: Image) -> Generator[Step, bool | None, NDArray[np.float32]]:
        from napari_s3net.correction.uncertainty import uncertainty

        yield from ()
        with spare_core():
            return uncertainty(image, result, over=over)  # type: ignore[arg-type]

    return make
