import numpy as np
import pytest

from napari_s3net.errors import InvalidSettingsError
from napari_s3net.runtime.generators import drain, follow
from napari_s3net.training import synthetic_images
from napari_s3net.training.synthetic_images import KINDS, iter_paint, paint_source_of

N, SIZE = 40, 24


@pytest.mark.parametrize("kind", KINDS)
def test_painted_images_are_those_of_their_seeds(tmp_path, kind):
    data = drain(iter_paint(kind, 3, SIZE, tmp_path, seed=5))
    image, mask, parts = paint_source_of(kind).paint(7, SIZE)
    assert len(data) == 3
    assert np.array_equal(data.images[2], image)
    assert np.array_equal(data.masks[2], mask)
    assert np.array_equal(data.parts[2], parts)
    assert data.images.shape[3] == paint_source_of(kind).channels


def test_several_processes_paint_the_same(tmp_path):
    one = drain(iter_paint("skin", N, SIZE, tmp_path / "one"))
    two = drain(iter_paint("skin", N, SIZE, tmp_path / "two", workers=2))
    assert np.array_equal(one.images, two.images)
    assert np.array_equal(one.parts, two.parts)


def test_a_run_that_was_ended_is_taken_up(tmp_path, monkeypatch):
    some = follow(iter_paint("skin", N, SIZE, tmp_path), lambda _: True)
    assert len(some) == synthetic_images.CHUNK
    asked = []
    paint = synthetic_images._paint_chunk
    monkeypatch.setattr(synthetic_images, "_paint_chunk", lambda task: asked.append(task[2]) or paint(task))
    whole = drain(iter_paint("skin", N, SIZE, tmp_path))
    assert asked == [synthetic_images.CHUNK], "only what is missing is painted"
    assert len(whole) == N
    drain(iter_paint("skin", N, SIZE, tmp_path, seed=1))
    assert asked[1:] == [0, synthetic_images.CHUNK], "another seed begins anew"


def test_an_unknown_kind_is_refused(tmp_path):
    with pytest.raises(InvalidSettingsError, match="skin, chest"):
        next(iter_paint("knee", 1, SIZE, tmp_path))
