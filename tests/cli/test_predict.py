import numpy as np

from napari_s3net.image import Geometry
from napari_s3net.io import read_labels
from napari_s3net.io.write import write_labels
from tests.cli.helpers import TINY, run
from tests.learning.conftest import scene


def test_a_volume_comes_back_with_its_geometry_and_what_it_was_learned_from(tmp_path, capsys):
    geometry = Geometry((3.0, 1.5, 1.5), (5.0, 6.0, 7.0), tuple(map(tuple, np.eye(3).tolist())))
    stack, labels = (np.stack(part) for part in zip(*(scene(n) for n in range(3)), strict=True))
    write_labels(tmp_path / "v.nii.gz", stack, geometry)
    write_labels(tmp_path / "v_gt.nii.gz", labels, geometry)
    assert run("learn", tmp_path, tmp_path, "-o", tmp_path / "m.safetensors", *TINY, "steps=2") == 0
    assert run("predict", tmp_path / "m.safetensors", tmp_path / "v.nii.gz", "-o", tmp_path / "out") == 0
    assert "of the image, " in (told := "".join(capsys.readouterr()))
    assert "Learned from 1 corrected image (plain)." in told
    found = read_labels(tmp_path / "out" / "v_labels.nii.gz")
    assert found.array.shape == stack.shape
    assert found.geometry.spacing == geometry.spacing
    assert found.geometry.origin == geometry.origin
