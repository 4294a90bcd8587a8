"""The Learn dock: correct a few images, learn from them, apply that to the others, correct where it teaches most."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from napari.layers import Image as ImageLayer
from napari.layers import Labels
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QFileDialog, QLabel, QPushButton, QWidget

from napari_s3net.batch import Plan
from napari_s3net.errors import S3NetError
from napari_s3net.learning.label_scan import Labelled, scan_labels
from napari_s3net.plugin.batch.replacing import may_replace_in
from napari_s3net.plugin.jobs.activity import Activity
from napari_s3net.plugin.jobs.folder_job import FolderJob
from napari_s3net.plugin.jobs.folder_watch import FolderWatch
from napari_s3net.plugin.jobs.learn_job import REPLACE, ApplyJob, LearnJob, LearnRequest, NextJob
from napari_s3net.plugin.jobs.short_work import ShortWork
from napari_s3net.plugin.jobs.stepped_job import JobUpdate, SteppedJob
from napari_s3net.plugin.jobs.thread_job import Failure, busy_words, is_busy
from napari_s3net.plugin.layers.proxy import plain
from napari_s3net.plugin.layers.renewal import renewals_of
from napari_s3net.plugin.learn.applying import Applied, Applying
from napari_s3net.plugin.learn.form import LearnForm
from napari_s3net.plugin.learn.open_layers import one_each, open_labels
from napari_s3net.plugin.learn.opened import Correcting, SeenSlices
from napari_s3net.plugin.learn.outcome_text import (
    FIRST,
    IMAGE_GONE,
    NO_LABELS,
    NONE_CHOSEN,
    applied_text,
    learned_text,
    next_text,
)
from napari_s3net.plugin.learn.preview import Preview
from napari_s3net.plugin.learn.progress import Progress
from napari_s3net.plugin.learn.result import keep_correction, kept_slices
from napari_s3net.plugin.widgets.dock import Dock, open_dock, show_dock
from napari_s3net.plugin.widgets.parts import button, column, row
from napari_s3net.plugin.widgets.progress_text import summary_text
from napari_s3net.plugin.widgets.text import plural
from napari_s3net.result import Segmentation

POLL_MS = 100
WAIT, GO_ON = "Wait after the step under way.", "Go on with what waits."


class LearnDock(Dock):
    """Learn from the few that were corrected.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        Results are opened in it.
    """

    height_hint = 700

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__(napari_viewer)
        self.job: SteppedJob | None = None
        self.labelled: Labelled | None = None
        self._scan = ShortWork("look at the folders", self)
        self._activity = Activity()
        self.preview = Preview(napari_viewer)
        self._applying = Applying(napari_viewer)
        #: The folder of images that a model was applied to, and that of the results.
        self._results: tuple[Path, Path] | None = None
        self.progress = Progress(self)
        self.bar, self.plot = self.progress.bar, self.progress.plot
        correcting = self._correcting = Correcting(napari_viewer)
        #: What was last said of what there is to do first, and of folders that cannot be looked at.
        self._advice, self._obstacle = FIRST, ""
        self._folders: tuple[Path | None, Path | None] = None, None
        #: Whether the model that lies there, if there is one, can be applied, as far as is known.
        self._can_apply = True
        self._seen = SeenSlices(napari_viewer, lambda: correcting.labels, self)
        self.form = LearnForm()
        self._watch = FolderWatch(self)
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._build()
        self._connect()
        self._list_images()
        self._show_state()
        if self.form.model is not None:  # the folders of the last time
            self._scan_folders()

    @property
    def opened(self) -> tuple[Path, ImageLayer, Labels] | None:
        """The image of the folder that is corrected, its layer and its labels."""
        return self._correcting.opened

    # -- what the buttons do

    def train(self, _: bool = False) -> None:
        """Learn from what is corrected; a run that was stopped goes on."""
        form = self.form
        if not self._may_begin() or self.labelled is None or form.model is None:
            return
        request = LearnRequest(
            self.labelled.pairs,
            form.model,
            form.settings(),
            form.class_names(),
            again=bool(form.again.value),
            preview=self.preview.choose(form.previewed, form.classes.colours()),
            colours=form.classes.colours(),
        )
        self._begin(LearnJob(request), "Reading images…")

    def apply(self, _: bool = False) -> None:
        """Apply what was learned to the image in view, of a volume to all of its slices."""
        layer = self.preview.image_in_view()
        if layer is None:
            self.show_message("Open an image first, or let Next to correct choose one.")
        elif self._may_begin() and self.form.model is not None:
            self._begin(self._applying.ask(layer, self.form.model), "Applying…")

    def apply_to_folder(self, _: bool = False) -> None:
        """Apply what was learned to every image of the folder; what is done already is skipped."""
        folder, model = self.form.image_folder, self.form.model
        if folder is None or model is None or not self._may_begin():
            return
        chosen = QFileDialog.getExistingDirectory(self, "Folder for the results")
        plan = Plan(source=folder, output=Path(chosen), model=model, recursive=True) if chosen else None
        if plan is not None and may_replace_in(self, plan):
            self._begin(FolderJob(plan), "Looking for images…")

    def review(self, _: bool = False) -> None:
        """Look through the results of the folder, in the Batch dock."""
        if self._results is not None:
            show_dock(self._viewer, "Batch").review(*self._results)

    def choose_next(self, _: bool = False) -> None:
        """Open the image whose correction would teach most, with what the model says of it."""
        if self.labelled is None or self.form.model is None or not self._may_begin():
            return
        if obstacle := self._why_not_leave():
            self.fail(obstacle)
            return
        paths, done = [pair.image for pair in self.labelled.pairs], set(self.labelled.corrected)
        if self.opened is not None and len(paths) > len(done | {self.opened[0]}):
            done.add(self.opened[0])  # whoever does not keep it wants another one
        self._begin(NextJob(self.form.model, paths, done), "Looking at the images…")

    def _why_not_leave(self) -> str:
        """Why no other image may be opened now: a review goes on, or strokes that no run has used would be lost."""
        names = ("Batch", "Correct") if self.opened is not None else ("Batch",)
        docks = [open_dock(self._viewer, name) for name in names]
        return next((str(dock.obstacle) for dock in docks if dock is not None and dock.obstacle), "")

    def keep(self, _: bool = False) -> None:
        """Write the labels that were corrected into the folder of labels."""
        folder = self.form.label_folder
        if self.opened is None or folder is None:
            return
        if not any(plain(one) is self.opened[2] for one in self._viewer.layers):
            self.show_message(f"The labels of {self.opened[0].name} were removed. Next to correct opens an image anew.")
            return
        self._seen.mark()  # what is in view
        try:
            path = keep_correction(self.opened[0], self.opened[2], folder, self.form.image_folder)
        except S3NetError as error:
            self.fail(str(error))
            return
        self.show_message("")
        self.line.setText(f"Kept as {path.name}{kept_slices(self.opened[2])}.")
        self._scan_folders()

    def keep_open(self, _: bool = False) -> None:
        """Write the labels that lie on open images of the folder into the folder of labels."""
        folder = self.form.label_folder
        if self.labelled is None or folder is None:
            self.show_message("Choose the folders of images and labels first: what is taken is kept there.")
            return
        found = one_each(open_labels(self._viewer.layers, [pair.image for pair in self.labelled.pairs], self.opened))
        try:
            kept = [keep_correction(path, layer, folder, self.form.image_folder) for path, layer in found.items()]
        except S3NetError as error:
            self.fail(str(error))
            return
        self.line.setText(f"Kept {plural(len(kept), 'open label layer')}." if kept else "")
        self._scan_folders()
        if not kept:
            self.show_message("No open labels lie on an open image of the folder. Segment one, or paint labels on it.")

    def pause(self, paused: bool) -> None:
        """Wait after the step under way; or go on.

        Parameters
        ----------
        paused : bool
            True to wait, False to go on.
        """
        self.pause_button.setText("Go on" if paused else "Pause")
        self.pause_button.setToolTip(GO_ON if paused else WAIT)
        if self.job is not None:
            self.job.pause(paused)
            self.progress.pause(paused)

    def stop(self, _: bool = False) -> None:
        """End and keep what there is."""
        if self.job is not None:
            self.job.stop()
            self.progress.stop(self.job.if_stopped)
            self.busy_row.setEnabled(False)

    def _let_go(self) -> None:
        self._timer.stop()
        self._scan.forget()
        self._watch.watch()
        if self.job is not None:
            self.job.cancel()
        self.preview.drop()
        self._activity.close()
        self._applying.release()
        self._correcting.opened = None

    # -- making

    def _build(self) -> None:
        self.train_button = QPushButton("Train")
        self.train_button.setProperty("primary", True)
        self.train_button.setToolTip("Learn from the corrected images.")
        self.pause_button = button("Pause", WAIT)
        self.pause_button.setCheckable(True)
        self.stop_button = button("Stop and keep", "End after the step under way, and keep what there is by then.")
        self.line = QLabel(FIRST)
        self.line.setWordWrap(True)
        self.apply_button = button("Apply to this image", "Label the image in view by what was learned.")
        self.folder_button = button("Apply to the folder…", "Label every image; what is done is skipped.")
        self.next_button = button("Next to correct ▸", "Open the image whose correction would teach most.")
        self.keep_button = button(
            "Keep correction", "Write the labels of the image that is corrected into the folder of labels."
        )
        self.busy_row = row(self.pause_button, self.stop_button)
        self.review_button = button("Review the results ▸", "Look through the folder's results in the Batch dock.")
        self.done = QWidget()
        ways = row(self.apply_button, self.folder_button), row(self.next_button, self.keep_button)
        column(self.done, self.review_button, *ways)
        parts = (self.form, self.train_button, self.busy_row, self.message, self.bar, self.plot, self.line)
        self.fill(*parts, self.progress.told, self.done)

    def _connect(self) -> None:
        self.form.folders_changed.connect(self._scan_folders)
        self.form.layers_button.clicked.connect(self.keep_open)
        self.train_button.clicked.connect(self.train)
        self.pause_button.toggled.connect(self.pause)
        self.stop_button.clicked.connect(self.stop)
        self.apply_button.clicked.connect(self.apply)
        self.folder_button.clicked.connect(self.apply_to_folder)
        self.review_button.clicked.connect(self.review)
        self.next_button.clicked.connect(self.choose_next)
        self.keep_button.clicked.connect(self.keep)
        self.progress.said.connect(self.line.setText)
        self._scan.done.connect(self._show_found)
        self._watch.changed.connect(self._begin_scan)
        self._timer.timeout.connect(self._tick)
        self.follow_viewer()

    # -- jobs

    def _may_begin(self) -> bool:
        if self.job is not None:
            return False
        if is_busy():
            self.fail(busy_words("A run or a batch"))
            return False
        self.show_message("")
        return True

    def _begin(self, job: SteppedJob, words: str) -> None:
        self.job = job
        job.start()
        self._activity.begin(words.rstrip("…"))
        self.progress.begin(words, job.after_reading)
        self._timer.start()
        self.busy_row.setEnabled(True)
        self._show_state()

    def _scan_folders(self) -> None:
        """The folders have changed: look what is in them. Of other ones nothing was said yet."""
        self.labelled = None
        self.show_message("")
        before, self._folders = self._folders, (self.form.image_folder, self.form.label_folder)
        if self._folders != before:
            self._can_apply = True
            self.form.classes.forget()
            self.line.clear()
            self.progress.forget()
        if self._begin_scan():
            self.form.found.setText("Looking at the folders…")
        self._show_state()

    def _begin_scan(self) -> bool:
        """Look what is in the folders, if both are chosen."""
        images, labels = self.form.image_folder, self.form.label_folder
        if images is not None and labels is not None:
            self._scan.begin(partial(scan_labels, images, labels, self.form.model))
            self._watch.watch(images, labels)
        return self._scan.is_on

    def _come_back(self) -> None:
        """Files may have come or gone meanwhile."""
        if self.job is None and not self._scan.is_on:
            self._watch.look()

    def _tick(self) -> None:
        assert self.job is not None  # noqa: S101 - it goes on as long as there is one
        over = self.job.is_over
        self._show_update(self.job.collect())
        if over:
            self._end(self.job.take_outcome())

    def _show_found(self, found: Labelled | Failure) -> None:
        """What lies in the folders now; what was said of work that has failed stays."""
        self.labelled = found if isinstance(found, Labelled) else None
        before, self._obstacle = self._obstacle, _obstacle_of(found)
        if self.labelled is not None:
            self._can_apply = self.labelled.is_learned
            self.form.show_found(self.labelled)
            self._correcting.forget_others(self.form.files)
        else:
            self.form.found.clear()
        if self._obstacle or self.message.text() == before:
            self.show_message(self._obstacle)
        self._show_state()

    def _show_update(self, update: JobUpdate) -> None:
        for notice in update.notices:
            self.progress.tell(notice)
        if update.preview is not None:
            self.preview.show(update.preview)
        for step in update.steps:
            self._activity.show(*self.progress.show(step))

    def _end(self, outcome: Any) -> None:
        job, self.job = self.job, None
        self.progress.tell()
        self._timer.stop()
        self._activity.close()
        self.preview.drop()
        self.pause_button.setChecked(False)
        if isinstance(outcome, Failure):
            self.line.clear()
            self.fail(outcome.message)
        elif isinstance(job, LearnJob) and outcome is not None:
            self._can_apply = True
            self.line.setText(learned_text(outcome.record))
        elif isinstance(job, ApplyJob) and isinstance(outcome, Segmentation):
            applied = self._applying.put(outcome, job.slices_done, self.form.classes.colours())
            self._show_applied(applied) if applied is not None else self.line.setText(IMAGE_GONE)
        elif isinstance(job, NextJob):
            self._show_next(*outcome) if outcome else self.line.setText(NONE_CHOSEN)
        elif isinstance(job, FolderJob) and outcome is not None:
            self._results = job.plan.source, job.plan.output
            self.line.setText(summary_text(outcome))
        self._show_state()
        self._watch.look()  # files that came or went meanwhile

    def _show_applied(self, applied: Applied) -> None:
        """An image of the folder can be corrected now."""
        files = () if self.labelled is None else [pair.image for pair in self.labelled.pairs]
        self._correcting.follow(applied.image, applied.labels, files)
        self._seen.moved()
        self.line.setText(applied_text(applied, can_be_kept=self._correcting.labels is applied.labels))

    def _show_next(self, path: Path, result: Segmentation) -> None:
        """Open the chosen image with the model's labels; what was opened before goes, and others are hidden."""
        left = self._correcting.close()
        self._correcting.show(path, result, self.form.classes.colours())
        self._seen.moved()
        self.line.setText(next_text(path.name, left, is_stack=result.labels.ndim > 2))

    # -- the viewer

    def _viewer_events(self) -> list[tuple[Any, Callable[..., None]]]:
        events, dims = self._viewer.layers.events, self._viewer.dims.events
        listing = [(one, self._list_images) for one in (events.inserted, events.removed, events.renamed)]
        moving = [(one, self._seen.moved) for one in (dims.current_step, dims.order)]
        return [*listing, *moving, (renewals_of(self._viewer).renewing, self._renewing)]

    def _renewing(self, event: Any) -> None:
        """Layers are about to show another image, as in a review."""
        self._correcting.forget_renewed(event.layers)
        self._show_state()

    def _list_images(self, event: Any = None) -> None:
        """Offer the open images for the preview."""
        self.form.show_layers([layer.name for layer in self.preview.images()])

    def _show_state(self) -> None:
        """Show what there is to do now."""
        busy, learning = self.job is not None, isinstance(self.job, LearnJob)
        model = self.form.model
        has_model = model is not None and model.is_file() and self._can_apply
        some = self.labelled is not None and bool(self.labelled.corrected)
        self.form.setEnabled(not busy)
        self.train_button.setVisible(not busy)
        self.train_button.setEnabled(some)
        self.busy_row.setVisible(busy)
        self.bar.setVisible(busy)
        self.plot.setVisible(learning)
        self.done.setVisible(not busy and (has_model or self.opened is not None))
        for one in (self.apply_button, self.folder_button, self.next_button):
            one.setEnabled(has_model)
        self.review_button.setVisible(self._results is not None and self._results[0] == self.form.image_folder)
        self.keep_button.setEnabled(self.opened is not None)
        if not busy:
            self._advise()

    def _advise(self) -> None:
        """Say what there is to do first; what was said of work that is over stays."""
        before, self._advice = self._advice, self._first_to_do()
        if self._advice or self.line.text() == before:
            self.line.setText(self._advice)

    def _first_to_do(self) -> str:
        if self.labelled is None:
            return "" if self._scan.is_on or self.message.text() else FIRST
        return "" if self.labelled.corrected else self.labelled.note or NO_LABELS


def _obstacle_of(found: Labelled | Failure) -> str:
    """Why the folders, or the model in them, cannot be used; empty where they can."""
    if isinstance(found, Failure):
        return found.message
    return f"{found.model_fault} {REPLACE}" if found.model_fault else ""
