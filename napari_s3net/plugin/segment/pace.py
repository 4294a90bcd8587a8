"""About how long a run takes, said before it begins: from the last one like it, or roughly."""

from __future__ import annotations

from contextlib import suppress

from napari_s3net.errors import S3NetError
from napari_s3net.plugin.widgets.remembered import recall, remember
from napari_s3net.plugin.widgets.text import seconds_text
from napari_s3net.provenance import Provenance
from napari_s3net.settings import Settings

#: Seconds of an iteration at the usual working size: a core of 2020 takes 0.2, and the taught networks as much again.
ROUGHLY = 0.4
#: Seconds of a slice of a volume at that size, beside the iterations: measured on a core of the same kind.
ROUGHLY_A_SLICE = 0.1
#: Settings that do not change how long an iteration takes.
FREE = ("seed", "min_labels", "max_iter", "target", "min_area")
#: Under which the last run of a plane and of a volume are remembered.
PLANE, VOLUME = "pace", "pace/volume"


class Pace:
    """Knows how long the last run of a plane and of a volume took, also before napari was closed."""

    def __init__(self) -> None:
        self._timed: dict[str, tuple[Settings, float]] = {}
        for kind in (PLANE, VOLUME):
            known = recall(kind)
            with suppress(S3NetError, TypeError, KeyError, ValueError):
                self._timed[kind] = Settings.from_dict(known["settings"]), float(known["seconds"])

    def take(self, made: Provenance) -> None:
        """Note how long a run took: a plane by the iteration, a volume by the slice.

        Parameters
        ----------
        made : Provenance
            Of its result.
        """
        kind, parts = (VOLUME, len(made.slices)) if made.slices else (PLANE, max(1, made.iterations))
        seconds = made.seconds / parts
        self._timed[kind] = made.settings, seconds
        remember(kind, {"settings": made.settings.to_dict(), "seconds": seconds})

    def text(self, asked: Settings, slices: int = 1) -> str:
        """Estimate how long a run takes.

        Parameters
        ----------
        asked : Settings
            Of the run.
        slices : int
            How many are segmented; 1 for a plane.

        Returns
        -------
        str
            " Up to 1.9 s." where a run of a plane was timed whose settings take as long an iteration, as it may stop
            earlier; else " About 2 s.".
        """
        known = self._timed.get(PLANE if slices == 1 else VOLUME)
        if known is not None and known[0].replace(**{name: getattr(asked, name) for name in FREE}) == asked:
            seconds = known[1] * (asked.max_iter if slices == 1 else slices)
            return f" {'Up to' if slices == 1 else 'About'} {seconds_text(seconds)}."
        size = (asked.working_size / Settings().working_size) ** 2
        guess = size * (ROUGHLY * asked.max_iter + (ROUGHLY_A_SLICE * slices if slices > 1 else 0))
        return f" About {seconds_text(max(1.0, round(guess)))}.".replace(".0", "")
