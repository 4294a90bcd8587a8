"""Every method of the benchmark by its name: plain ones, ours, the published one, and ours with an idea left out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import napari_s3net
from napari_s3net.benchmark import baselines
from napari_s3net.benchmark.baselines import BASELINES, MethodResult, suits
from napari_s3net.errors import InvalidSettingsError
from napari_s3net.image import Image, Kind
from napari_s3net.settings import Settings, preset_settings, presets

#: The control that goes with every table.
CONTROL = "one-label"
#: One network fitted on all images of the set.
FOLDER = "s3net:folder"
#: What leaves one idea out, as a change of the settings.
ABLATIONS: Mapping[str, Mapping[str, Any]] = {
    "s3net:no-attention": {"attention": False},
    "s3net:no-deformable": {"offsets": "none"},
    "s3net:no-transformation": {"weight_transformation": 0.0},
    "s3net:no-spatial": {"weight_spatial": 0.0},
    "s3net:published-offsets": {"offsets": "free"},
    "s3net:random-start": {"start": "random"},
}
#: Methods that train a network, and what they change in a preset's settings.
NETWORKS: Mapping[str, Mapping[str, Any]] = {
    "s3net": {"variant": "s3net"},
    FOLDER: {"variant": "s3net"},
    "released": {"variant": "released", "start": "random"},
    **{name: {"variant": "s3net", **changes} for name, changes in ABLATIONS.items()},
}
#: The published stopping rule never ends a run before this many iterations.
RELEASED_ITERATIONS = 6
#: Whose source does not decide what a network returns. When other source changes, earlier results are not taken over.
_ELSEWHERE = {"plugin", "io", "phantom", "benchmark", "cli", "export", "__main__.py", "__init__.py"}


@dataclass(frozen=True)
class NetworkRuns:
    """How the networks are to run.

    Parameters
    ----------
    preset : str
        "auto" takes the one that suits each image.
    changes : mapping
        Settings that differ from the preset's.
    device : str
        As `segment` takes it.
    """

    preset: str = "auto"
    changes: Mapping[str, Any] = field(default_factory=dict)
    device: str = "auto"

    def settings(self, method: str, name: str, seed: int) -> Settings:
        """Return the settings of one run of a network.

        Parameters
        ----------
        method : str
            A name in `NETWORKS`; its own changes come last.
        name : str
            The preset.
        seed : int
            Of the run.

        Returns
        -------
        Settings
            The preset's with all changes. "released" gets the fewest iterations that it takes, unless `changes` says
            more.
        """
        made = (
            preset_settings(name).replace(max_iter=RELEASED_ITERATIONS)
            if method == "released"
            else preset_settings(name)
        )
        return made.replace(**self.changes).replace(**NETWORKS[method]).replace(seed=seed)


def chosen(names: Iterable[str], kind: Kind) -> list[str]:
    """Choose the methods to run: the control and the plain ones first, so that no network sits in memory meanwhile.

    Parameters
    ----------
    names : iterable of str
        As asked for; those without a meaning for a kind of image, or for the settings of this version, are left out.
    kind : str
        Of the images.

    Returns
    -------
    list of str
        Each once, the control always among them.

    Raises
    ------
    InvalidSettingsError
        If there is no such method.
    """
    known = (*BASELINES, *NETWORKS)
    asked = {CONTROL, *names}
    if unknown := sorted(asked - set(known)):
        raise InvalidSettingsError(f"There is no method {unknown[0]!r}. Methods are: {', '.join(known)}.")
    return [name for name in known if name in asked and possible(name, kind)]


def possible(method: str, kind: Kind) -> bool:
    """Return whether a method has a meaning for a kind of image and for the settings of this version.

    Parameters
    ----------
    method : str
        A name in `BASELINES` or `NETWORKS`.
    kind : str
        Of the images.

    Returns
    -------
    bool
        Whether to measure it on them.
    """
    if method in BASELINES:
        return suits(method, kind)
    if method == FOLDER and kind == "ct":  # found by HU in each image alone
        return False
    return set(NETWORKS[method]) <= {f.name for f in fields(Settings)}


def seeds_of(method: str, seeds: int) -> range:
    """Return the seeds to run a method with.

    Parameters
    ----------
    method : str
        A name in `BASELINES` or `NETWORKS`.
    seeds : int
        How many are asked for.

    Returns
    -------
    range
        From 0 on; only seed 0 for plain methods, which draw nothing, or always the same.
    """
    return range(seeds if method in NETWORKS else 1)


def digest(method: str, runs: NetworkRuns) -> str:
    """Return a text that is equal exactly where a method is asked for the same.

    Parameters
    ----------
    method : str
        A name in `BASELINES` or `NETWORKS`.
    runs : NetworkRuns
        How it is to run; for "auto" the settings of every preset count.

    Returns
    -------
    str
        Twelve hexadecimal digits; empty for plain methods, which have no settings.
    """
    if method not in NETWORKS:
        return ""
    names = sorted(presets) if runs.preset == "auto" else [runs.preset]
    asked = {name: runs.settings(method, name, seed=0).to_dict() for name in names}
    return hashlib.sha256(json.dumps([asked, runs.device], sort_keys=True).encode()).hexdigest()[:12]


def version(method: str) -> str:
    """Return the package's version and a digest of the source that decides what a method returns.

    Parameters
    ----------
    method : str
        A name in `BASELINES` or `NETWORKS`.

    Returns
    -------
    str
        "1.2.3+0123abcd"; it changes with every edit of that source.
    """
    room = Path(napari_s3net.__file__).parent
    files = [Path(baselines.__file__)]
    if method in NETWORKS:
        files = sorted(file for file in room.rglob("*.py") if file.relative_to(room).parts[0] not in _ELSEWHERE)
    source = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:8]
    return f"{napari_s3net.__version__}+{source}"


def folder_settings(runs: NetworkRuns, image: Image, seed: int) -> Settings:
    """Return the settings of the folder mode for a set of images.

    Parameters
    ----------
    runs : NetworkRuns
        Preset and changes.
    image : Image
        One of the set: "auto" chooses the preset by it.
    seed : int
        Of the run.

    Returns
    -------
    Settings
        Of the method "s3net:folder".
    """
    from napari_s3net.preprocessing.suggest import suggest_preset

    return runs.settings(FOLDER, suggest_preset(image) if runs.preset == "auto" else runs.preset, seed)


def run_method(method: str, image: Image, seed: int, runs: NetworkRuns) -> MethodResult:
    """Segment one plane with one method.

    Parameters
    ----------
    method : str
        A name in `BASELINES` or `NETWORKS`.
    image : Image
        One plane.
    seed : int
        Of networks; plain methods do not use it.
    runs : NetworkRuns
        How networks are to run.

    Returns
    -------
    MethodResult
        (H, W) labels and mask.
    """
    if method in BASELINES:
        return BASELINES[method](image.array, image.kind)
    from napari_s3net.preprocessing.suggest import suggest_preset
    from napari_s3net.segmentation import segment

    name = suggest_preset(image) if runs.preset == "auto" else runs.preset
    result = segment(image, settings=runs.settings(method, name, seed), device=runs.device)
    return MethodResult(result.labels, result.mask)
