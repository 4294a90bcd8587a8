import numpy as np
import pytest

from napari_s3net.io import read_image
from tests.cli.helpers import names, run


def test_samples_are_read_back_as_they_were_made(tmp_path, capsys):
    from napari_s3net.phantom import chest_ct, dermoscopy

    assert run("samples", "-o", tmp_path / "s") == 0
    assert names(tmp_path / "s") == ["chest_ct.nii.gz", "chest_ct_mask.nii.gz", "dermoscopy.png", "dermoscopy_mask.png"]
    for made, name in ((dermoscopy(), "dermoscopy{}.png"), (chest_ct(), "chest_ct{}.nii.gz")):
        again = read_image(tmp_path / "s" / name.format(""))
        assert np.array_equal(again.array, made.image.array)
        assert again.kind == made.image.kind
        assert again.geometry.spacing == pytest.approx(made.image.geometry.spacing)
        assert np.array_equal(read_image(tmp_path / "s" / name.format("_mask")).array > 0, made.mask)
