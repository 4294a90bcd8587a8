"""Surfaces as files: STL and PLY, binary, in mm as a rule, x before y before z as these formats have it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_s3net.errors import WriteError
from napari_s3net.io.write import replacing
from napari_s3net.segments import GREY, Colour


def write_surface(
    path: Path, vertices: NDArray[np.floating], faces: NDArray[np.integer], *, colour: Colour = GREY, unit: str = "mm"
) -> None:
    """Write triangles.

    Parameters
    ----------
    path : Path
        Ends in ".stl" or ".ply"; its folder is made where missing.
    vertices : numpy.ndarray
        (n, 3), (z, y, x), as from `surface_of`.
    faces : numpy.ndarray
        (m, 3), indices of vertices; seen from outside counterclockwise in x, y, z, as from `surface_of`.
    colour : tuple of int
        Red, green and blue, 0 to 255, of every vertex of a PLY; STL has no colours.
    unit : str
        Of the vertices, as a note in the header: neither format has a field for it.

    Raises
    ------
    WriteError
        If the suffix is another, or the place cannot be written.
    """
    path = Path(path).absolute()
    corners = np.ascontiguousarray(vertices[:, ::-1], "<f4")
    faces = np.asarray(faces, "<i4")
    suffix = path.suffix.lower()
    if suffix not in (".stl", ".ply"):
        raise WriteError(f"A surface is written as .stl or .ply; got {path.name}.")
    with replacing(path, suffix) as temporary:
        temporary.write_bytes(_stl(corners, faces, unit) if suffix == ".stl" else _ply(corners, faces, colour, unit))


def _stl(corners: NDArray[np.floating], faces: NDArray[np.integer], unit: str) -> bytes:
    triangles = corners[faces]
    normals = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    records = np.zeros(len(faces), [("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
    records["normal"], records["corners"] = normals, triangles
    return f"napari-s3net, {unit}".encode("ascii").ljust(80, b" ") + np.uint32(len(faces)).tobytes() + records.tobytes()


def _ply(corners: NDArray[np.floating], faces: NDArray[np.integer], colour: Colour, unit: str) -> bytes:
    header = (
        f"ply\nformat binary_little_endian 1.0\ncomment napari-s3net, {unit}\n"
        f"element vertex {len(corners)}\nproperty float x\nproperty float y\nproperty float z\n"
        "property uchar red\nproperty uchar green\nproperty uchar blue\n"
        f"element face {len(faces)}\nproperty list uchar int vertex_indices\nend_header\n"
    )
    records = np.zeros(len(faces), [("n", "u1"), ("corners", "<i4", 3)])
    records["n"], records["corners"] = 3, faces
    points = np.zeros(len(corners), [("corner", "<f4", 3), ("colour", "u1", 3)])
    points["corner"], points["colour"] = corners, colour
    return header.encode("ascii") + points.tobytes() + records.tobytes()
