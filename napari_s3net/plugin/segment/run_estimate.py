"""What a run will take, said before it begins: device, time and memory, and what would fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qtpy.QtCore import QObject

from napari_s3net.errors import S3NetError
from napari_s3net.plugin.jobs.session import Session
from napari_s3net.plugin.layers.source import Source
from napari_s3net.plugin.segment.pace import Pace
from napari_s3net.plugin.widgets.choosers import Choosers
from napari_s3net.plugin.widgets.extent import ExtentChooser
from napari_s3net.plugin.widgets.memory_advice import MemoryAdvice, memory_text
from napari_s3net.runtime.memory import Advice, advise
from napari_s3net.settings import Settings


class RunEstimate(QObject):
    """Keeps what is said up to date with what is chosen, and learns from each run.

    Parameters
    ----------
    choosers, extent : Choosers, ExtentChooser
        What is asked for; the choosers show device, time and memory.
    advice : MemoryAdvice
        Shows what does not fit into memory, and takes what would.
    session : Session
        Tells the devices, and how a run went.
    plane_in_view : callable
        The plane that is segmented; None without an image.
    parent : QObject
        The dock.
    """

    def __init__(
        self,
        choosers: Choosers,
        extent: ExtentChooser,
        advice: MemoryAdvice,
        session: Session,
        plane_in_view: Callable[[], Source | None],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._choosers, self._extent, self._advice, self._session = choosers, extent, advice, session
        self._plane_in_view, self._pace = plane_in_view, Pace()
        self._devices: tuple[str, ...] = ()
        for changed in (choosers.settings_changed, choosers.device_chosen, extent.changed):
            changed.connect(self.say)
        advice.size_taken.connect(choosers.set_working_size)
        advice.cpu_taken.connect(self._take_cpu)
        session.finished.connect(self._take_pace)
        session.devices_known.connect(self.know_devices)

    def say(self, *_: Any) -> Advice | None:
        """Say what is computed on, what it takes of memory and, once a run was timed, about how long it takes.

        Returns
        -------
        Advice or None
            Whether it fits; None without an image, or while the settings hold something that cannot be.
        """
        about, memory, advice = "", "", None
        try:
            settings = self._choosers.settings()
        except S3NetError:
            pass
        else:
            first, last = self._extent.span or (0, 0)
            about = self._pace.text(settings, last - first + 1)
            advice = self._advice_for(settings)
            memory = memory_text(advice) if advice is not None and advice.fits else ""
        self._advice.show_advice(advice)
        self._choosers.show_devices(self._devices, about, memory)
        return advice

    def know_devices(self, devices: tuple[str, ...]) -> None:
        """Each look at a run tells them; what follows from them is said once, for it asks how much memory is free.

        Parameters
        ----------
        devices : tuple of str
            Of this machine, the automatic choice first.
        """
        if devices != self._devices:
            self._devices = devices
            self.say()

    def _advice_for(self, settings: Settings) -> Advice | None:
        """Whether a run on the plane in view fits into memory; None without a plane."""
        plane, name = self._plane_in_view(), self._choosers.device_name
        # Before the first run only the network library knows the graphics card, and it is not loaded yet.
        device = name if name != "auto" else self._devices[0] if self._devices else "cpu"
        return None if plane is None else advise(plane.plane_shape, settings, device)

    def _take_cpu(self) -> None:
        self._choosers.choose_device("cpu")
        self.say()

    def _take_pace(self, _: Any = None) -> None:
        if self._session.made is not None:
            self._pace.take(self._session.made)
        self.say()
