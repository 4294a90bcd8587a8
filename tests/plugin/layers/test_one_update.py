"""Layers that come and go in one step."""

from types import SimpleNamespace

import numpy as np
from napari.components import ViewerModel

from napari_s3net.plugin.layers.one_update import one_update


def test_the_canvas_hears_of_one_update():
    viewer, heard = ViewerModel(), []
    for name in ("begin_batch", "removed", "inserted", "end_batch"):
        getattr(viewer.layers.events, name).connect(lambda event, name=name: heard.append(name))
    old = viewer.add_image(np.zeros((4, 4)))
    heard.clear()
    with one_update(viewer):
        viewer.add_image(np.ones((4, 4)))
        viewer.layers.remove(old)
    assert heard == ["begin_batch", "inserted", "removed", "end_batch"]


def test_an_older_napari_does_without():
    with one_update(SimpleNamespace(layers=[])):
        pass
