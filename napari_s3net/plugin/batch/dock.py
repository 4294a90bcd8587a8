"""The Batch dock: a folder in, a folder out, and what became of each file."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from napari.utils.notifications import show_error
from napari.utils.theme import get_theme
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QLabel, QProgressBar, QPushButton

from napari_s3net.batch import FileRow, Item, Plan, Summary
from napari_s3net.batch.review import REVIEW, Review
from napari_s3net.batch.reviewed import replaced_files
from napari_s3net.errors import S3NetError
from napari_s3net.learning.files import REPORT
from napari_s3net.plugin.batch.form import BatchForm
from napari_s3net.plugin.batch.open_row import OpenedResult
from napari_s3net.plugin.batch.progress import BatchProgress
from napari_s3net.plugin.batch.replacing import may_replace
from napari_s3net.plugin.batch.result_opener import ResultOpener
from napari_s3net.plugin.batch.results_text import earlier_text, link, page_links, review_text
from napari_s3net.plugin.batch.review_controller import ReviewController
from napari_s3net.plugin.batch.review_panel import ReviewPanel
from napari_s3net.plugin.batch.review_place import ReviewPlace
from napari_s3net.plugin.batch.table import FileTable
from napari_s3net.plugin.jobs.activity import Activity
from napari_s3net.plugin.jobs.batch_job import BatchJob, BatchUpdate, FolderContents, rewrite_page, scan_folders
from napari_s3net.plugin.jobs.folder_watch import FolderWatch
from napari_s3net.plugin.jobs.short_work import ShortWork
from napari_s3net.plugin.jobs.thread_job import Failure, busy_words, is_busy
from napari_s3net.plugin.widgets.dock import Dock
from napari_s3net.plugin.widgets.parts import caption, row, show_primary
from napari_s3net.plugin.widgets.progress_text import summary_text
from napari_s3net.plugin.widgets.text import plural

POLL_MS = 100
#: Steps of the progress bar for each file, so that it moves within a volume.
PARTS = 100
REVIEWED = "A review goes on in the Correct tab. End it first: the next image may be the one in view there."
FIRST = "Choose a folder with images, and one for the results."


class BatchDock(Dock):
    """Segment a folder.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        Results are opened in it.
    """

    height_hint = 700

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__(napari_viewer)
        self.plan: Plan | None = None
        self.job: BatchJob | None = None
        self._activity = Activity()
        self._scan, self._page = ShortWork(BatchJob.title, self), ShortWork("report", self)
        self._items: dict[str, Item] = {}
        #: Of the settings that are asked for, as in the rows of results.
        self._digest = ""
        #: Whether the review begins as soon as it is known what is in the folders.
        self._is_to_review = False
        #: What was decided before the batch began.
        self._review: Review | None = None
        self._link = ""
        self.progress = BatchProgress()
        self.form, self.table, self.panel = BatchForm(), FileTable(), ReviewPanel()
        self.review_controller = ReviewController(napari_viewer, self.panel, self._open_row, self)
        self.place = ReviewPlace(napari_viewer, self.panel)
        self.review_controller.obstacle = self.place.obstacle
        self._results = ResultOpener(napari_viewer)
        self._watch = FolderWatch(self)
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._build()
        self._connect()
        if self.form.has_folders:  # as they were remembered
            self._scan_folders()
        self._show_state()

    @property
    def obstacle(self) -> str:
        """Why no other dock may open an image in place of the one in view; empty where it may."""
        return REVIEWED if self.review_controller.is_on else ""

    # -- the run

    def start(self) -> None:
        """Begin, or go on where an earlier run of this output folder was ended."""
        if self.job is not None or (plan := self._read_form()) is None:
            return
        if is_busy():
            self.fail(busy_words("A run"))
            return
        if not self._may_replace():
            return
        self.review_controller.end()
        self.show_message("")
        self.progress = BatchProgress()
        form = self.form
        self.job = BatchJob(plan, jobs=form.jobs.value, scheduler=form.scheduler_address, restart=form.restart.value)
        form.restart.value = False
        self.job.start()
        self._activity.begin(f"Batch in {plan.source.name}")
        self.bar.setRange(0, 0)
        self.line.setText("Looking for images…")
        self._timer.start()
        self._show_state()

    @property
    def _replaced(self) -> list[str]:
        """Files whose results Start would replace."""
        return replaced_files(self._rows(), self._digest, restart=bool(self.form.restart.value))

    def _may_replace(self) -> bool:
        """Whether the batch may begin; asked where it would replace results that somebody has reviewed."""
        replaced, decisions = self._replaced, self.table.files.decisions
        lost = [file for file in replaced if decisions.get(file) in ("accepted", "rejected")]  # corrections stay
        return may_replace(self, replaced, len(lost))

    def pause(self, paused: bool) -> None:
        """Finish what is being worked on and begin nothing more; or go on.

        Parameters
        ----------
        paused : bool
            True to finish what is under way, False to go on.
        """
        if self.job is not None:
            self.job.pause(paused)
            self.pause_button.setText("Go on" if paused else "Pause")
            self.progress.forget_pace()
            self._count()

    def stop(self) -> None:
        """End now; what is finished is kept."""
        if self.job is not None:
            self.job.stop()
            self.line.setText("Stopping; what is finished is kept…")
            self._show_state(stopping=True)

    def _let_go(self) -> None:
        self._timer.stop()
        self._scan.forget()
        self._page.forget()
        self._watch.watch()
        if self.job is not None:
            self.job.stop()
        self._activity.close()
        self.review_controller.ended.disconnect(self._end_review)
        self.review_controller.end()
        self._results.release()
        self.place.release()

    # -- making

    def _build(self) -> None:
        self.start_button, self.pause_button, self.stop_button = map(QPushButton, ("Start", "Pause", "Stop"))
        self.start_button.setToolTip("Segment every image of the folder; what is done already is skipped.")
        self.pause_button.setToolTip("Finish the image under way and begin no other.")
        self.pause_button.setCheckable(True)
        self.stop_button.setToolTip("End now. What is finished is kept, and Start goes on from there.")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("Progress")
        self.line, self.links = QLabel(FIRST), caption()
        self.line.setWordWrap(True)
        self.links.setTextFormat(Qt.TextFormat.RichText)  # made of escaped names
        self.links.setOpenExternalLinks(True)
        self.review_button = QPushButton()
        self._ways = self.start_button, self.review_button
        self.review_button.setToolTip("Look through the results, the least certain first.")
        buttons = row(self.start_button, self.pause_button, self.stop_button)
        parts = (self.form, buttons, self.message, self.bar, self.line, self.table)
        layout = self.fill(*parts, self.review_button, self.place, self.links)
        layout.setStretchFactor(self.table, 100)

    def _connect(self) -> None:
        self.form.changed.connect(self._scan_folders)
        self.start_button.clicked.connect(self._start_clicked)
        self.pause_button.toggled.connect(self.pause)
        self.stop_button.clicked.connect(self._stop_clicked)
        self.table.opened.connect(self._open)
        self.review_button.clicked.connect(self._begin_review)
        self.review_controller.decided.connect(self._note_decision)
        self.place.refreshed.connect(self.review_controller.look_again)
        self.review_controller.moved.connect(self.table.pick)
        self.review_controller.ended.connect(self._end_review)
        self._scan.done.connect(self._show_contents)
        self._page.done.connect(self._page_written)
        self._watch.changed.connect(self._count_anew)
        self._timer.timeout.connect(self._tick)
        self.follow_viewer()

    # Not as lambdas: in PySide a connection would hold on to what they know, and so to a dock that was closed.

    def _start_clicked(self, _: bool = False) -> None:
        self.start()

    def _stop_clicked(self, _: bool = False) -> None:
        self.stop()

    # -- the folders

    def _read_form(self) -> Plan | None:
        """Take what the form asks for; None where it cannot be done."""
        try:
            self.plan = self.form.plan()
        except S3NetError as error:
            self.plan = None
            self.show_message(str(error))
        else:
            self.show_message("")
        return self.plan

    def _scan_folders(self) -> None:
        """The form has changed: look what is in the folders."""
        self._is_to_review = False
        if self.job is None:
            self.review_controller.end()
            self._items = {}
            self._scan.forget()
            self.table.files.show_files((), {}, {})
            for line in (self.form.source_line, self.form.output_line):
                line.clear()
            if (plan := self._read_form()) is not None:
                self.form.source_line.setText("Looking for images…")
                self.line.clear()
                self._begin_scan(plan)
        self._show_state()

    def _begin_scan(self, plan: Plan) -> None:
        self._scan.begin(partial(scan_folders, plan))
        self._note_folders()

    def _note_folders(self) -> None:
        """What is in the folders now is known."""
        if self.plan is not None:
            reports = self.plan.output / REPORT, self.plan.output / REVIEW
            self._watch.watch(self.plan.source, *reports, recursive=self.plan.recursive)

    @property
    def _may_count(self) -> bool:
        """Whether nothing goes on that the folders' contents are needed for as they were."""
        return not (self.job or self._scan.is_on or self.review_controller.is_on)

    def _come_back(self) -> None:
        """Files may have come or gone meanwhile, and strokes have been run with."""
        if self.place.is_over(self.message.text()):
            self.show_message("")
        if self._may_count:
            self._watch.look()

    def _count_anew(self) -> None:
        if self.plan is not None and self._may_count:
            self.show_message("")
            self._begin_scan(self.plan)

    def _show_contents(self, outcome: FolderContents | Failure) -> None:
        found = FolderContents(failure=outcome) if isinstance(outcome, Failure) else outcome
        rows = found.rows or {}
        self._items, self._digest = {item.file: item for item in found.items}, found.digest
        counted = (plural(len(found.items), "image"), found.left_out) if found.items else ()
        self.form.source_line.setText(" · ".join(filter(None, counted)))
        if found.failure is not None:
            self.show_message(found.failure.message)
        self.form.output_line.setText(earlier_text(found))
        files = [item.file for item in found.items] or list(rows)
        self._show(files, rows)
        if self._is_to_review:
            self._is_to_review = False
            self._begin_review()

    def _show(self, files: list[str], rows: dict[str, FileRow]) -> None:
        assert self.plan is not None  # noqa: S101 - there is a table only with folders
        review = self._review = Review(self.plan.output)
        decisions = {file: decision for file, one in rows.items() if (decision := review.decision(one))}
        shares = {file: share for file, one in rows.items() if (share := review.corrected_share(one)) is not None}
        self.table.files.show_files(files, rows, decisions, shares)
        self._show_state()

    def _show_decision(self, row: FileRow) -> None:
        """What a person decided of a result that a run has found done; nothing of one that was made anew since."""
        if self._review is not None and (decision := self._review.decision(row)):
            self.table.files.decide(row.file, decision, self._review.corrected_share(row))

    # -- what comes of it

    def _tick(self) -> None:
        assert self.job is not None  # noqa: S101 - it goes on as long as there is one
        self.show_update(self.job.collect())

    def show_update(self, update: BatchUpdate) -> None:
        """Show what has come of the batch: table, bar and line; once it is over, the way to its results.

        Parameters
        ----------
        update : BatchUpdate
            What has come since the last time.
        """
        if update.items is not None:
            self._items = {item.file: item for item in update.items}
            self._show(list(self._items), {})
            self.bar.setRange(0, PARTS * len(update.items))
            address = self.form.scheduler_address
            self.line.setText(f"Asking for workers at {address}…" if address else "Starting…")
        if update.link != self._link:
            self._link = update.link
            self._show_state()
        for one in update.rows:
            self.table.files.update(one)
            self._show_decision(one)
            self.progress.take(one)
        if update.rows:
            self._count()
        if update.over:
            self._end(update)

    def _count(self) -> None:
        """Say how far it is."""
        total, over = len(self.table.files.files), round(PARTS * self.progress.files)
        self.bar.setValue(over)
        self._activity.show(over, PARTS * total)
        self.line.setText(self.progress.text(total, paused=self.pause_button.isChecked()))

    def _end(self, update: BatchUpdate) -> None:
        assert self.job is not None  # noqa: S101 - its thread has just ended
        self._timer.stop()
        self._activity.close()
        self.job, self._link = None, ""
        self.pause_button.setChecked(False)
        for n, one in enumerate(self.table.files.rows):
            if one is not None and one.status == "running":
                self.table.files.rows[n] = None
        if isinstance(update.outcome, Summary):
            self.line.setText(summary_text(update.outcome))
        if isinstance(update.outcome, Failure):
            self.fail(update.outcome.message)
        self.form.output_line.clear()
        self._note_folders()
        self._show_state()

    # -- looking at results

    def _rows(self) -> list[FileRow]:
        return [one for one in self.table.files.rows if one is not None and one.status in ("done", "skipped")]

    def review(self, folder: Path, output: Path) -> None:
        """Look through results that are there already, as a click on Review does.

        Parameters
        ----------
        folder : Path
            With images.
        output : Path
            With their results. A review of them that goes on is shown.
        """
        if self.job is not None:
            self.fail(busy_words("A batch"))
        elif self.review_controller.is_on and self.form.shows(folder, output):
            self.place.show_correct()
        elif self._may_leave():
            self.form.take_results(folder, output)
            self._is_to_review = self._scan.is_on

    def _begin_review(self, _: bool = False) -> None:
        if self.plan is not None and self._may_leave():
            try:
                self.review_controller.begin(self.plan.output, self._rows())
            except S3NetError as error:
                self.fail(str(error))
            else:
                # The Correct dock and the first result each take a moment; between them the window answers.
                QTimer.singleShot(0, self._enter_place)
            self._show_state()

    def _may_leave(self) -> bool:
        """Whether another image may take the place of the one in view; says why it may not."""
        obstacle = self.place.obstacle()
        if obstacle:
            self.fail(obstacle)
        else:
            self.show_message("")
        return not obstacle

    def _enter_place(self) -> None:
        if self.review_controller.is_on:
            self.place.enter()

    def _note_decision(self, file: str, decision: str) -> None:
        self.table.files.decide(file, decision, self.review_controller.corrected_share(file))

    def _end_review(self) -> None:
        """The review is over: back to the table, and the report says what was decided."""
        self._results.forget_ahead()
        self.place.leave()
        if self.plan is not None:
            self._review = Review(self.plan.output)
            for one in self._rows():  # Learn may have kept some
                self._show_decision(one)
            self._page.begin(partial(rewrite_page, self.plan.output))
        self._show_state()

    def _page_written(self, failure: Failure | None) -> None:
        if failure is not None:
            self.fail(failure.message)
        self._show_state()

    def _open(self, file: str) -> None:
        """Show the result of a file, or say why there is none."""
        place = self.table.files.files.index(file)
        one = self.table.files.rows[place]
        if one is None or one.status == "running":
            show_error(f"{file} has no result yet.")
        elif one.status == "failed":
            show_error(f"{file} failed: {one.error}")
        elif not self.review_controller.go_to(file) and self._may_leave():
            self._open_row(one)

    def _open_row(self, one: FileRow, following: FileRow | None = None) -> OpenedResult | None:
        """Open a result; what comes next is read ahead meanwhile."""
        assert self.plan is not None  # noqa: S101 - rows come from its output
        return self._results.open(self.plan, self._items, one, following)

    # -- showing

    def _restyle(self, event: Any = None) -> None:
        super()._restyle(event)
        if event is not None:  # the links have the theme's colour
            self._show_state()

    def _show_state(self, *, stopping: bool = False) -> None:
        """Show what there is to do now."""
        busy = self.job is not None
        self.form.setEnabled(not busy)
        self.start_button.setEnabled(not busy and not self._scan.is_on and self.form.has_folders)
        self.start_button.setVisible(not busy)
        for button in (self.pause_button, self.stop_button):
            button.setVisible(busy)
            button.setEnabled(not stopping)
        self.bar.setVisible(busy)
        self.line.setVisible(busy or bool(self.line.text()))
        self.message.setVisible(bool(self.message.text()))
        self.table.setVisible(bool(self.table.files.files))
        results = [] if busy else self._rows()
        decided = sum(bool(self.table.files.decisions.get(row.file)) for row in results)
        self.review_button.setText(review_text(results, decided))
        is_over = bool(results) and bool(self._replaced or len(results) == len(self.table.files.files))
        show_primary(self.review_button if is_over else self.start_button, self._ways)
        self.review_button.setVisible(bool(results) and not self.review_controller.is_on)
        self.place.setVisible(self.review_controller.is_on)
        colour = get_theme(self._viewer.theme).text.as_hex()
        links = page_links(self.plan.output, colour) if self.plan is not None and not busy else ""
        self.links.setText(link(self._link, "What the workers do", colour) if self._link else links)
        for label in (self.links, self.form.source_line, self.form.output_line):
            label.setVisible(bool(label.text()))
