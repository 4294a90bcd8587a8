"""Who does the jobs: threads of this machine that each watch a process, or the workers of a Dask cluster."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING, Any

from napari_s3net.batch import isolated
from napari_s3net.batch.file_row import FileRow
from napari_s3net.batch.plan import FileJob
from napari_s3net.errors import S3NetError

if TYPE_CHECKING:
    from distributed import Client

#: Seconds until a scheduler that does not answer is given up.
CONNECT_SECONDS = 15
#: Jobs in flight for each worker, so that none waits for the network or for the report to be written.
AHEAD = 2


@dataclass(frozen=True, eq=False)
class BatchExecutor:
    """Workers that take jobs.

    Parameters
    ----------
    pool : concurrent.futures.Executor
        Runs functions, here or on the cluster.
    threads : int
        Of a pool on this machine: how many jobs are worked on at once.
    client : distributed.Client or None
        Of the cluster that the workers belong to; None on this machine.
    paused : threading.Event
        While it is set, what is under way is finished and nothing is begun.
    """

    pool: Executor
    threads: int = 1
    client: Any = None
    paused: Event = field(default_factory=Event)
    _on_progress: dict[str, isolated.OnProgress] = field(default_factory=dict)

    @property
    def workers(self) -> int:
        """How many jobs are worked on at once; of a cluster, now: it may grow and shrink."""
        if self.client is None:
            return self.threads
        return sum(worker["nthreads"] for worker in self.client.scheduler_info(n_workers=-1)["workers"].values())

    @property
    def room(self) -> int:
        """How many jobs may be under way at once: some more than workers, so that none waits; 0 while paused."""
        if self.paused.is_set():
            return 0
        return AHEAD * max(1, self.workers)

    @property
    def link(self) -> str:
        """Address of the cluster's dashboard; empty where there is none."""
        return "" if self.client is None else str(self.client.dashboard_link or "")

    def listen(self, run_id: str, on_progress: isolated.OnProgress) -> None:
        """Have a function told how far the jobs of a run are, on a cluster too.

        Parameters
        ----------
        run_id : str
            The `run` of the jobs.
        on_progress : callable
            Takes {"file": …, "slice": …, "slices": …}; it is called from other threads.
        """
        self._on_progress[run_id] = on_progress
        if self.client is not None:
            self.client.subscribe_topic(run_id, lambda event: on_progress(event[1]["news"]))

    def submit(self, job: FileJob) -> Future[FileRow]:
        """Hand a job to a worker.

        Parameters
        ----------
        job : FileJob
            What to do.

        Returns
        -------
        concurrent.futures.Future of FileRow
            What has become of the file. It raises only where the run was ended or the cluster failed.
        """
        if self.client is None:
            return self.pool.submit(isolated.run, job, self._on_progress.get(job.run))
        return self.pool.submit(run_there, job)

    def end(self, run_id: str) -> None:
        """End whatever is under way for a run, at once.

        Parameters
        ----------
        run_id : str
            The run, as its jobs name it.
        """
        isolated.end(run_id)
        if self.client is not None:
            with suppress(Exception):  # the cluster may be gone, and then nothing is under way
                self.client.run(isolated.end, run_id)

    def forget(self, run_id: str) -> None:
        """Stop telling how far the jobs of a run are; undoes `listen`.

        Parameters
        ----------
        run_id : str
            The run, as its jobs name it.
        """
        self._on_progress.pop(run_id, None)
        if self.client is not None:
            with suppress(Exception):  # as above
                self.client.unsubscribe_topic(run_id)


def run_there(job: FileJob) -> FileRow:
    """Do a job on a worker of a Dask cluster; its progress goes through the scheduler to the process that listens.

    Parameters
    ----------
    job : FileJob
        What to do.

    Returns
    -------
    FileRow
        What has become of the file.
    """
    from distributed import get_worker

    worker = get_worker()
    # In a mapping of its own, for Dask adds the worker's name.
    return isolated.run(job, lambda news: worker.log_event(job.run, {"news": news}))


@contextmanager
def open_executor(jobs: int = 1, scheduler: str = "") -> Iterator[BatchExecutor]:
    """Find or start workers, and end them after the body.

    Parameters
    ----------
    jobs : int
        How many files at once on this machine, 1 or more.
    scheduler : str
        Address of a running Dask scheduler, whose workers are used instead; empty for this machine.

    Yields
    ------
    BatchExecutor
        Takes jobs.

    Raises
    ------
    S3NetError
        If `jobs` is below 1, a cluster is asked for and Dask is not installed, or the scheduler does not answer.
    """
    if jobs < 1:
        raise S3NetError(f"At least one file is worked on at a time; got {jobs} jobs.")
    if not scheduler:
        with ThreadPoolExecutor(jobs, "batch") as pool:
            try:
                yield BatchExecutor(pool, jobs)
            finally:
                isolated.close_idle()
        return
    with _client(scheduler) as client:
        # A job whose worker died goes elsewhere; after `allowed-failures` such deaths it fails.
        try:
            yield BatchExecutor(client.get_executor(pure=False), client=client)
        finally:
            with suppress(Exception):
                client.run(isolated.close_idle)


def _client(scheduler: str) -> Client:
    """A client of a running cluster."""
    try:
        from distributed import Client
    except ImportError:
        raise S3NetError("A cluster needs Dask, which is not installed: pip install 'napari-s3net[cluster]'.") from None
    try:
        return Client(scheduler, timeout=CONNECT_SECONDS)
    except (OSError, ValueError) as error:
        raise S3NetError(f"The scheduler at {scheduler} does not answer: {error}.") from None
