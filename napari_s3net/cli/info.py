"""Print versions, devices and memory: what to say when something does not work."""

from __future__ import annotations

import platform
from argparse import ArgumentParser, Namespace
from importlib.metadata import PackageNotFoundError, version

from napari_s3net.cli.output import write_out

PACKAGES = ("napari-s3net", "torch", "numpy", "scipy", "scikit-image", "SimpleITK", "napari")
GIB = 2**30


def add_arguments(parser: ArgumentParser) -> None:
    """Declare no flags; the command takes none."""


def run(options: Namespace) -> int:  # noqa: ARG001 - reads none
    """Print a table of names and values to stdout.

    Returns
    -------
    int
        0.
    """
    rows = [("python", platform.python_version()), ("system", f"{platform.system()} {platform.machine()}")]
    rows += [(name, _version(name)) for name in PACKAGES]
    rows += [*_devices(), ("memory", _memory())]
    write_out("".join(f"{name:<14}{value}\n" for name, value in rows))
    return 0


def _version(name: str) -> str:
    """Version of an installed package."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _devices() -> list[tuple[str, str]]:
    """What a run can compute on."""
    import torch

    from napari_s3net.runtime.device import available_devices
    from napari_s3net.runtime.machine import cores

    rows = []
    for name in available_devices():
        if name.startswith("cuda"):
            free, total = torch.cuda.mem_get_info(name)
            text = f"{torch.cuda.get_device_name(name)}, {free / GIB:.1f} of {total / GIB:.1f} GiB free"
        else:
            text = f"{torch.get_num_threads()} threads, {cores()} cores" if name == "cpu" else "Metal"
        rows.append((name, text))
    return rows


def _memory() -> str:
    """Memory that a run may still take, within a container's limit, and memory of this machine."""
    from napari_s3net.runtime.machine import free_memory, physical_memory

    return f"{free_memory() / GIB:.1f} of {physical_memory() / GIB:.1f} GiB free"
