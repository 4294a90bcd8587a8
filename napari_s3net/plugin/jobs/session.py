"""A run as the window sees it: phases, and a timer that carries what the thread leaves to the layer and the dock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from napari.utils.notifications import show_info
from qtpy.QtCore import QObject, QTimer, Signal

from napari_s3net.plugin.jobs.activity import Activity
from napari_s3net.plugin.jobs.run import Run, RunUpdate, VolumeRun
from napari_s3net.plugin.jobs.thread_job import Failure
from napari_s3net.plugin.layers.target import Target
from napari_s3net.plugin.layers.volume_target import VolumeTarget
from napari_s3net.plugin.widgets.volume_text import volume_progress
from napari_s3net.provenance import Provenance
from napari_s3net.result import Segmentation
from napari_s3net.settings import Settings

POLL_MS = 50


class Phase(Enum):
    """Where the dock stands."""

    NO_IMAGE = "no image"
    READY = "ready"
    PREPARING = "preparing"
    RUNNING = "running"
    STOPPING = "stopping"
    DONE = "done"
    STOPPED = "stopped and kept"
    FAILED = "failed"

    @property
    def is_busy(self) -> bool:
        """Whether a run of this dock goes on."""
        return self in (Phase.PREPARING, Phase.RUNNING, Phase.STOPPING)


@dataclass(frozen=True)
class Screen:
    """What a phase means for the dock's parts.

    Parameters
    ----------
    welcome : bool
        Only the way to a first image is shown.
    can_run : bool
        Image, preset, device and settings may be changed, and the run button works.
    progress : bool
        Bar, plot, and the buttons to end take the place of what can be chosen.
    moving_bar : bool
        The bar moves without a number.
    can_stop, can_cancel : bool
        Which of the two ways to end is open.
    results : bool
        The table is shown; while a run goes on, that of the labels which the run replaces.
    """

    welcome: bool
    can_run: bool
    progress: bool
    moving_bar: bool
    can_stop: bool
    can_cancel: bool
    results: bool


def screen_of(phase: Phase, *, has_result: bool) -> Screen:
    """Say what is shown and what works in a phase.

    Parameters
    ----------
    phase : Phase
        Where the dock stands.
    has_result : bool
        Whether the plane in view has a result, whose table can be shown.

    Returns
    -------
    Screen
        What each part of the dock does.
    """
    busy = phase.is_busy
    return Screen(
        welcome=phase is Phase.NO_IMAGE,
        can_run=not busy and phase is not Phase.NO_IMAGE,
        progress=busy,
        moving_bar=phase in (Phase.PREPARING, Phase.STOPPING),
        can_stop=phase is Phase.RUNNING,
        can_cancel=phase in (Phase.PREPARING, Phase.RUNNING),
        results=has_result and phase is not Phase.NO_IMAGE,
    )


def cancel_all(running: Sequence[Run]) -> None:
    """Ask runs to end and keep nothing. Touches neither dock nor layers, which may be gone as napari closes.

    Parameters
    ----------
    running : sequence of Run
        Those that are under way.
    """
    for run in running:
        run.cancel()


class Session(QObject):
    """One run after another, never two at once.

    Signals
    -------
    phase_changed(Phase, str)
        With a few words: what is going on, or what went wrong.
    stepped(tuple of Step)
        The iterations since the last time.
    finished(Labels)
        The layer that holds the result; None where the image was removed.
    devices_known(tuple)
        The devices of this machine.
    """

    phase_changed = Signal(object, str)
    stepped = Signal(object)
    finished = Signal(object)
    devices_known = Signal(tuple)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.phase = Phase.READY
        #: What is going on, or what went wrong; and what a developer needs to know about it.
        self.message = self.details = ""
        #: How the newest result was made.
        self.made: Provenance | None = None
        #: The run that goes on, as a list of none or one that outlives the dock.
        self.running: list[Run] = []
        self._target: Target | None = None
        self._activity = Activity()
        self._preset = ""
        self._leaving: Target | None = None
        self._timer, self._leave_soon = QTimer(self), QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self._tick)
        self._leave_soon.setSingleShot(True)
        self._leave_soon.timeout.connect(self._leave)

    @property
    def is_previewing(self) -> bool:
        """Whether the layer holds a run's preview, or may."""
        return self._target is not None or self._leaving is not None

    def start(self, target: Target, settings: Settings, device: str, preset: str) -> None:
        """Begin a run.

        Parameters
        ----------
        target : Target
            The plane to segment, and the layer that gets the result.
        settings : Settings
            What the run is asked for.
        device : str
            As `iter_segment` takes it: "auto", "cpu", "cuda:0" or "mps".
        preset : str
            The preset that the settings started from; written beside the result.

        Raises
        ------
        RuntimeError
            If another run, job or batch goes on in any window.
        """
        if isinstance(target, VolumeTarget):
            run: Run = VolumeRun(target.stack, settings, device)
        else:
            run = Run(target.source, settings, device, target.match)
        run.start()
        self.running[:] = [run]
        self._target, self._preset, self.details = target, preset, ""
        self._activity.begin(f"Segmenting {target.source.name}")
        self._enter(Phase.PREPARING, "Starting…")
        self._timer.start()

    def stop(self) -> None:
        """End after this iteration and keep the result."""
        if self.phase is Phase.RUNNING:
            self.running[0].stop()
            self._enter(Phase.STOPPING, "Stopping after this iteration, keeping the result…")

    def cancel(self, text: str = "Cancelled; everything is as it was. Waiting for the last iteration…") -> None:
        """End the run and put back what was there before it; the thread ends after its iteration.

        The words are shown first, and the layers are put back right after: napari takes a moment to remove a layer.

        Parameters
        ----------
        text : str, optional
            What is said in its place.
        """
        if self._target is None:
            return
        cancel_all(self.running)
        self._leaving, self._target = self._target, None
        self._enter(Phase.STOPPING, text)
        self._leave_soon.start()

    def fail(self, text: str) -> None:
        """Show a reason why no run can begin.

        Parameters
        ----------
        text : str
            The reason, as a sentence.
        """
        self.details = ""
        self._enter(Phase.FAILED, text)

    def settle(self) -> None:
        """Forget how the last run ended: another image was chosen."""
        if not self.phase.is_busy:
            self._enter(Phase.READY, "")

    def release(self) -> None:
        """Cancel the run because the dock is closed; the viewer and its layers are as before the run."""
        self.cancel()
        self._leave()
        self._activity.close()
        self._timer.stop()
        self.running.clear()

    def _leave(self) -> None:
        """Put back what was there before the run that was cancelled."""
        self._leave_soon.stop()
        target, self._leaving = self._leaving, None
        if target is not None:
            target.restore()

    def _tick(self) -> None:
        update = self.running[0].collect()
        if update.devices:
            self.devices_known.emit(update.devices)
        if self._target is not None and (gone := self._target.gone):
            show_info(f"{gone} during a run, which was cancelled; what is left is as before.")  # stays when it is over
            self.cancel(f"{gone}, so the run is being cancelled…")
        if self._target is not None:
            self._show(update)
            self._target.advance()
        if update.over:
            self._end(update.outcome)

    def _show(self, update: RunUpdate) -> None:
        assert self._target is not None  # noqa: S101 - asked for by `_tick`
        if update.stage and self.phase in (Phase.PREPARING, Phase.RUNNING):
            self._enter(Phase.PREPARING, update.stage)
        elif update.steps and self.phase is Phase.PREPARING:
            self._enter(Phase.RUNNING, "")
        if update.steps:
            self.stepped.emit(update.steps)
            self._activity.show(*volume_progress(update.steps[-1]))
        if isinstance(self._target, VolumeTarget):
            for index, labels in update.planes:
                self._target.show_slice(index, labels)
        if update.preview is not None and not update.over:
            self._target.preview(update.preview)

    def _end(self, outcome: Segmentation | Failure | None) -> None:
        """The thread is done: write what it made, or put back what was there."""
        self._timer.stop()
        self._activity.close()
        self._leave()
        target, self._target = self._target, None
        self.running.clear()
        if isinstance(outcome, Segmentation) and target is not None:
            self.made = outcome.provenance
            before, layer = target.layer, target.finish(outcome, self._preset)
            if before is not None and layer is not None and layer is not before:
                show_info(f"{before.name} has another shape than when the run began: the result is a layer of its own.")
            elif layer is not None and target.remark:
                show_info(target.remark)
            self._enter(Phase.STOPPED if outcome.provenance.stopped else Phase.DONE, "")
            self.finished.emit(layer)
            return
        if target is not None:
            target.restore()
        if isinstance(outcome, Failure):
            self.details = outcome.details
            self._enter(Phase.FAILED, outcome.message)
        else:
            self._enter(Phase.READY, "")

    def _enter(self, phase: Phase, text: str) -> None:
        if (phase, text) != (self.phase, self.message):
            self.phase, self.message = phase, text
            self.phase_changed.emit(phase, text)
