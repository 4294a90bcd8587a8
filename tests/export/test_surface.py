import numpy as np
import pytest

from napari_s3net.errors import WriteError
from napari_s3net.export.surface import write_surface
from napari_s3net.image import Geometry
from napari_s3net.labels.surface import surface_of

MM = Geometry((3.0, 1.0, 2.0), (10.0, 20.0, 30.0), Geometry.identity(3).direction)


def cube():
    mask = np.zeros((8, 10, 12), bool)
    mask[2:6, 3:7, 4:9] = True
    return surface_of(mask, MM)


def volume(triangles):
    a, b, c = triangles[:, 0], triangles[:, 1], triangles[:, 2]
    return np.einsum("ij,ij->", a, np.cross(b, c)) / 6


def test_stl_holds_the_same_triangles_with_the_outside_outside(tmp_path):
    vertices, faces = cube()
    write_surface(tmp_path / "a.stl", vertices, faces)
    data = (tmp_path / "a.stl").read_bytes()
    assert len(data) == 84 + 50 * len(faces)
    records = np.frombuffer(data[84:], [("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
    triangles = records["corners"].astype(float)
    assert np.allclose(triangles, vertices[faces][..., ::-1])
    assert volume(triangles) == pytest.approx(abs(volume(vertices[faces].astype(float))), rel=1e-4)  # positive
    assert np.allclose(np.linalg.norm(records["normal"], axis=1), 1, atol=1e-5)
    middle = triangles.reshape(-1, 3).mean(axis=0)
    assert (np.einsum("ij,ij->i", records["normal"], triangles.mean(axis=1) - middle) > 0).mean() > 0.95


def test_ply_holds_vertices_and_faces(tmp_path):
    vertices, faces = cube()
    write_surface(tmp_path / "a.ply", vertices, faces, colour=(201, 33, 7))
    header, body = (tmp_path / "a.ply").read_bytes().split(b"end_header\n", 1)
    assert f"element vertex {len(vertices)}\n".encode() in header
    assert b"property uchar red\nproperty uchar green\nproperty uchar blue\n" in header
    points = np.frombuffer(body, [("corner", "<f4", 3), ("colour", "u1", 3)], len(vertices))
    assert np.array_equal(points["corner"][:, ::-1], vertices)
    assert (points["colour"] == (201, 33, 7)).all()
    records = np.frombuffer(body[points.nbytes :], [("n", "u1"), ("corners", "<i4", 3)])
    assert len(records) == len(faces)
    assert (records["n"] == 3).all()
    assert np.array_equal(records["corners"], faces)


def test_another_suffix_is_refused(tmp_path):
    with pytest.raises(WriteError, match=r"\.stl or \.ply"):
        write_surface(tmp_path / "a.obj", *cube())
