"""A result as lines of Python that make it again, and as a command: the same labels, or a remark on what differs.

The first lines are remarks, which Python and the shell skip. Strokes and tools are not told; a remark says so.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from napari.layers import Labels

from napari_s3net.image import Geometry
from napari_s3net.plugin.layers.metadata import made_in_view
from napari_s3net.plugin.layers.packed import check_sum
from napari_s3net.plugin.layers.placement import KEY
from napari_s3net.plugin.layers.run_cache import CachedRun, cached_run
from napari_s3net.plugin.layers.source import Origin, Source
from napari_s3net.settings import Settings, presets

#: What stands in the place of lines where no run has made the labels.
NO_RUN = "# No run has made the labels of this slice."
LEARNED = "# A learned model gave these labels: napari-s3net predict MODEL IMAGE -o labels"
TIME_IN_VIEW = "# The plane in view goes through several moments of a series, which only the dock can segment."
#: What stands in the place of a command for an image that is from no file.
NO_FILE = "# This image was not opened from a file by S³-Net, so that no command can read it; copy as Python instead."
GIVEN_SIZE = "# The size of a pixel was set in napari, which no command can be told; copy as Python instead."
CHANGED = "# Strokes, tools or the brush have changed these labels since. What follows makes them as they were before."
UNKNOWN = "# Whether these labels were changed since, and numbered otherwise, is not known any more."
STOPPED = "# The run was stopped after {} iterations. What follows goes on to its end, and may give other labels."


@dataclass(frozen=True, kw_only=True)
class ToCopy:
    """What is told of a result.

    Parameters
    ----------
    about : mapping
        How the plane in view was made; see `made_in_view`.
    source : Source
        The plane of the image.
    device : str
        As `segment` takes it.
    run : CachedRun or None
        The run on the plane, where it is known.
    is_changed : bool
        Whether the labels are no longer as the run made them.
    """

    about: Mapping[str, Any]
    source: Source
    device: str
    run: CachedRun | None
    is_changed: bool

    @property
    def origin(self) -> Origin:
        """Where the image can be had again."""
        return self.source.origin

    @property
    def leading(self) -> tuple[int | None, ...]:
        """The position along each axis before those of the volume or the plane, such as the time."""
        steps = self.source.key.steps
        return steps[: len(steps) - self.about["geometry"].ndim]

    @property
    def axis(self) -> int | None:
        """The axis of the volume along which the slices lie; None for a single plane."""
        axis = self.source.key.axis
        return None if axis is None or axis < len(self.leading) else axis - len(self.leading)

    @property
    def geometry(self) -> Geometry:
        """Where the pixels of the image lie, with the size that they had at the run; it may have been set since."""
        now: Geometry = self.origin.given or self.about["geometry"]
        then = self.about.get("image")
        if then is None or len(then["spacing"]) != now.ndim:
            return now
        return replace(now, spacing=tuple(then["spacing"]), unit=then["unit"])

    @property
    def given(self) -> Geometry | None:
        """That geometry, where the file does not know it."""
        return None if self.origin.given is None or self.geometry.unit == "pixel" else self.geometry

    @property
    def settings(self) -> Settings:
        """Those of the run."""
        return Settings.from_dict(self.about["settings"])

    @property
    def renumbered(self) -> Mapping[int, int]:
        """The layer's number of every label by the run's own; empty where all are alike."""
        numbers = {} if self.run is None else self.run.numbers or {}
        return {} if all(old == new for old, new in numbers.items()) else numbers

    @property
    def chosen(self) -> tuple[int, ...] | None:
        """The labels that are the object by ticks; None where the run's proposal stands."""
        if self.run is None or self.run.numbers is None:
            return None
        ticked = tuple(sorted(set(self.about["foreground"]) & set(self.run.numbers.values())))
        return None if ticked == tuple(sorted(self.run.proposed)) else ticked


def result_to_copy(layer: Labels, source: Source, device: str) -> ToCopy | str:
    """Gather what is told of the result in view.

    Parameters
    ----------
    layer : napari.layers.Labels
        The result.
    source : Source
        The plane of the image in view.
    device : str
        As `segment` takes it.

    Returns
    -------
    ToCopy or str
        A remark, where there are no lines that make these labels.
    """
    about = made_in_view(layer.metadata[KEY], source.key)
    if about is None:
        return NO_RUN
    if about.get("model"):
        return LEARNED
    run = cached_run(layer, source.key)
    is_changed = run is not None and run.first.check_sum != check_sum(layer.data[source.index])
    made = ToCopy(about=about, source=source, device=device, run=run, is_changed=is_changed)
    return TIME_IN_VIEW if None in made.leading else made


def as_python(made: ToCopy) -> str:
    """Write a result down as lines of Python that make it again.

    Parameters
    ----------
    made : ToCopy
        The result.

    Returns
    -------
    str
        Lines to be pasted; `labels` and `mask` hold the result. An image that is from no file is taken from its layer,
        in napari's own console.
    """
    about, changed = made.about, ", ".join(f"{name}={value!r}" for name, value in _changes(made).items())
    call = "segment_volume" if "span" in about and about["kind"] != "rgb" else "segment"
    lines = [*_remarks(made), *_import_lines(made, call), ""]
    lines += _image_lines(made)
    lines += [
        f"settings = presets[{about['preset']!r}].settings{f'.replace({changed})' if changed else ''}",
        f"result = {call}(image{_part(made)}, settings=settings, device={made.device!r})",
        f"labels = renumber(result.labels, {dict(made.renumbered)})" if made.renumbered else "labels = result.labels",
        "mask = result.mask" if made.chosen is None else f"mask = np.isin(labels, {list(made.chosen)})",
    ]
    return "\n".join(lines) + "\n"


def as_command(made: ToCopy) -> str:
    """Write a result down as a command of the shell that makes it again.

    Parameters
    ----------
    made : ToCopy
        The result.

    Returns
    -------
    str
        The command, quoted where needed; for an image that is from no file a remark. The samples are written first.
    """
    about, origin, axis = made.about, made.origin, made.axis
    if origin.path is None and not origin.sample:
        return NO_FILE
    if made.given is not None and about["kind"] == "ct":
        return GIVEN_SIZE
    changed = _changes(made)
    path = origin.path or f"samples/{about['source']}{'.png' if about['kind'] == 'rgb' else '.nii.gz'}"
    words = ["napari-s3net", "segment", path, "-o", "labels", "--preset", about["preset"]]
    words += ["--seed", str(changed.pop("seed", made.settings.seed)), "--device", made.device]
    first, last, slices = about.get("span", (0, 0, 1))
    if "span" not in about and axis is not None:
        words += ["--slice", str(made.source.key.position)]
    elif (first, last) != (0, slices - 1):
        words += ["--slices", str(first), str(last)]
    words += ["--axis", str(axis)] if axis else []
    words += ["--time", str(made.leading[-1])] if made.leading else []
    words += ["--set", *(f"{name}={value}" for name, value in changed.items())] if changed else []
    remarks = _remarks(made)
    if made.renumbered:
        pairs = ", ".join(f"{old} → {new}" for old, new in made.renumbered.items() if old != new)
        remarks.append(f"# In napari these labels have other numbers: {pairs}.")
    if made.chosen is not None:
        remarks.append(
            f"# In napari the object was chosen by hand: label {', '.join(map(str, made.chosen)) or 'none'}."
        )
    commands = [*(["napari-s3net samples -o samples"] if origin.sample else []), shlex.join(words)]
    return "\n".join([*remarks, " && ".join(commands)])


def _changes(made: ToCopy) -> dict[str, Any]:
    """The settings that differ from their preset's, by their names."""
    base = presets[made.about["preset"]].settings.to_dict()
    return {name: value for name, value in made.settings.to_dict().items() if value != base[name]}


def _remarks(made: ToCopy) -> list[str]:
    """What of the result the lines do not make again."""
    remarks = [CHANGED] if made.is_changed else []
    remarks += [UNKNOWN] if made.run is None or made.run.numbers is None else []
    return remarks + ([STOPPED.format(made.about["iterations"])] if made.about["stopped"] else [])


def _import_lines(made: ToCopy, call: str) -> list[str]:
    """What the lines need."""
    origin = made.origin
    names = sorted({"presets", call, *(["read_image"] if origin.path is not None else [])})
    is_from_layer = origin.path is None and not origin.sample
    lines = ["from dataclasses import replace"] if made.given is not None else []
    lines += ["import numpy as np"] if made.chosen is not None or is_from_layer else []
    lines += ["from napari import current_viewer"] if is_from_layer else []
    lines += [f"from napari_s3net import {', '.join(names)}"]
    if is_from_layer or made.given is not None:
        lines.append(f"from napari_s3net.image import Geometry{', Image' if is_from_layer else ''}")
    lines += ["from napari_s3net.labels.matching import renumber"] if made.renumbered else []
    return lines + ([f"from napari_s3net.phantom import {origin.sample}"] if origin.sample else [])


def _image_lines(made: ToCopy) -> list[str]:
    """Where the image comes from: its file, a sample, or its layer."""
    about, origin = made.about, made.origin
    if origin.sample:
        return [f"image = {origin.sample}().image"]
    if origin.path is not None:
        time = f", time={made.leading[-1]}" if made.leading else ""
        given = [] if made.given is None else [f"image = replace(image, geometry={_text(made.given)})"]
        return [f"image = read_image({origin.path!r}{time})", *given]
    level = "" if origin.level is None else f"[{origin.level}]"
    index = "".join(f"[{step}]" for step in made.leading) + ("[..., :3]" if about["kind"] == "rgb" else "")
    number = ".astype(np.uint8)" if made.source.data.dtype == bool else ""
    return [
        "# In napari's console, with the image open:",
        f"array = np.asarray(current_viewer().layers[{about['source']!r}].data{level}{index}){number}",
        f"image = Image(array, {_text(made.geometry)}, {about['kind']!r}, {about['source']!r})",
    ]


def _text(geometry: Geometry) -> str:
    """A geometry as Python; short where it says nothing."""
    nothing, geometry = Geometry.identity(geometry.ndim), replace(geometry, nifti_forms=None)
    return f"Geometry.identity({geometry.ndim})" if geometry == nothing else repr(geometry)


def _part(made: ToCopy) -> str:
    """What of the image was segmented: a slice, or several; nothing where it was all of it."""
    axis, about = made.axis, made.about
    if axis is None:
        return ""
    along = f", axis={axis}" if axis else ""
    if "span" not in about:
        return f".slice({made.source.key.position}{along})"
    first, last, slices = about["span"]
    return f".slices({first}, {last}{along})" if axis or (first, last) != (0, slices - 1) else ""
