"""Which file a layer was read from."""

from pathlib import Path

import numpy as np
from napari.components import ViewerModel
from napari.layers._source import layer_source

from napari_s3net.plugin.layers.file_of import file_of, note_file


def test_it_is_known_of_what_was_opened_and_of_what_was_noted():
    viewer = ViewerModel()
    with layer_source(path="a.png"):
        opened = viewer.add_image(np.zeros((4, 4)))
    assert file_of(opened) == Path("a.png")
    made = viewer.add_image(np.zeros((4, 4)))
    assert file_of(made) is None
    note_file(made, Path("b.png"))
    assert (file_of(made), made.source.reader_plugin) == (Path("b.png"), "napari-s3net")
    note_file(made, None)
    assert (file_of(made), made.source.reader_plugin) == (None, None)
