import numpy as np
import pytest

from napari_s3net.errors import InvalidImageError
from napari_s3net.image import Geometry
from napari_s3net.labels.surface import surface_of

MM = Geometry((3.0, 1.0, 2.0), (10.0, 20.0, 30.0), Geometry.identity(3).direction)


def enclosed(vertices, faces):
    """Volume by the divergence theorem; its sign says on which side the outside is."""
    a, b, c = (vertices[faces[:, k]].astype(float) for k in range(3))
    return np.einsum("ij,ij->", a, np.cross(b, c)) / 6


def test_a_ball_has_its_volume_and_place_in_millimetres():
    z, y, x = np.mgrid[:20, :40, :30]
    mask = ((z - 9) * 3.0) ** 2 + ((y - 20) * 1.0) ** 2 + ((x - 14) * 2.0) ** 2 < 12**2
    vertices, faces = surface_of(mask, MM)
    assert abs(enclosed(vertices, faces)) == pytest.approx(4 / 3 * np.pi * 12**3, rel=0.08)
    assert vertices.mean(axis=0) == pytest.approx([10 + 27, 20 + 20, 30 + 28], abs=0.5)


def test_a_region_at_the_border_is_closed():
    vertices, faces = surface_of(np.ones((4, 5, 6), bool), Geometry.identity(3))
    edges = np.sort(faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    assert (np.unique(edges, axis=0, return_counts=True)[1] == 2).all()
    assert vertices.min() < 0


def test_a_mirrored_volume_has_its_outside_outside():
    mask = np.zeros((6, 7, 8), bool)
    mask[2:4, 2:5, 2:6] = True
    mirrored = Geometry((1.0,) * 3, (0.0,) * 3, ((-1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)))
    one, other = (enclosed(*surface_of(mask, geometry)) for geometry in (Geometry.identity(3), mirrored))
    assert one == pytest.approx(other)


def test_a_coarser_surface_lies_at_the_same_place():
    mask = np.zeros((24, 24, 24), bool)
    mask[4:20, 4:20, 4:20] = True
    fine, coarse = (surface_of(mask, MM, step=step)[0] for step in (1, 2))
    assert len(coarse) < len(fine) / 3
    assert coarse.mean(axis=0) == pytest.approx(fine.mean(axis=0), abs=3)


@pytest.mark.parametrize(
    ("mask", "message"), [(np.zeros((3, 4, 5), bool), "no voxel"), (np.ones((4, 5), bool), "volume")]
)
def test_nothing_to_draw(mask, message):
    with pytest.raises(InvalidImageError, match=message):
        surface_of(mask, MM)
