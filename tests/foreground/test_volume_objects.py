import numpy as np

from napari_s3net.foreground.volume_objects import VOLUME_OBJECTS
from napari_s3net.settings import Settings

MM = (3.0, 1.0, 1.0)


def find(target, hu):
    found = VOLUME_OBJECTS[target]
    parts = [found.look(plane, MM[1:]) for plane in hu]
    chosen = found.choose(parts, MM)
    return np.stack([found.draw(p, c, plane, MM[1:]) for p, c, plane in zip(parts, chosen, hu, strict=True)])


def test_the_body_is_the_tissue_that_is_largest_in_the_volume():
    """In the last slice the table is larger than the body; alone, that slice would take the table."""
    hu = np.full((5, 40, 40), -1000.0)
    hu[:, 5:20, 5:25] = 40
    hu[:, 10:14, 10:14] = -1000
    hu[4, 30:38, 2:38] = 60
    hu[4, 12:20] = -1000
    body = find("body", hu)
    assert body[0, 6:19, 6:24].all()  # with what it encloses
    assert body[4, 6:10, 6:24].all()
    assert not body[:, 30:].any()


def test_nothing_but_air_has_no_body():
    assert not find("body", np.full((2, 20, 20), -1000.0)).any()


def test_every_target_in_hounsfield_units_is_found_in_the_volume():
    from napari_s3net.preprocessing.check import HU_TARGETS

    assert set(VOLUME_OBJECTS) == set(HU_TARGETS)
    for target in VOLUME_OBJECTS:
        Settings(target=target)
