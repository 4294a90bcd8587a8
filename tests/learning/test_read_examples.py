import numpy as np
import pytest

from napari_s3net.errors import InvalidImageError, ReadError
from napari_s3net.image import Geometry
from napari_s3net.io.write import write_labels, write_png
from napari_s3net.learning.files import find_images_with_labels
from napari_s3net.learning.read_examples import iter_examples
from napari_s3net.network.class_losses import IGNORED
from napari_s3net.runtime.generators import drain
from tests.io.test_on_image import save_noted
from tests.learning.conftest import scene


def read(folder, **options):
    return drain(iter_examples(find_images_with_labels(folder / "images", folder / "labels"), 32, **options))


def relabel(folder, labels, name="a0"):
    write_labels(folder / "labels" / f"{name}.png", labels, Geometry.identity(2))


def test_planes_of_differing_sizes_become_one_set(folder):
    data = read(folder)
    assert data.images.shape == (8, 1, 32, 32)
    assert data.labelled.sum() == 4
    assert data.classes == {1: "Class 1", 2: "Class 2"}
    assert not data.stacks
    assert set(np.unique(data.labels[data.labelled])) == {0, 1, 2}  # and nothing beside what is no square


def test_partly_labelled_pixels_and_classes_of_one_image_only(folder):
    _, labels = scene(0)
    labels[:, 24:] = 255
    labels[0, 0] = 7
    relabel(folder, labels)
    data = read(folder)
    assert list(data.classes) == [1, 2, 7]
    first = data.labels[data.names.index("a0")]
    assert (first[:, 18:] == IGNORED).all()
    assert first[0, 0] in (0, 3)


def test_a_mask_of_0_and_255_is_a_class_of_its_own(folder):
    for n in range(4):
        relabel(folder, np.where(scene(n, (40 + 4 * (n % 3), 48))[1] == 1, 255, 0), f"a{n}")
    assert read(folder).classes == {1: "Object"}


def test_names_are_given_and_values_without_one_refused(folder):
    assert read(folder, classes={1: "Bright", 2: "Dark"}).classes == {1: "Bright", 2: "Dark"}
    with pytest.raises(InvalidImageError, match="class 2, which the names do not have: 1=Bright"):
        read(folder, classes={1: "Bright"})


def test_labels_of_another_size_are_refused(folder):
    relabel(folder, np.ones((12, 13), np.int32))
    with pytest.raises(
        InvalidImageError,
        match=r"a0\.png does not fit a0\.png\. The labels are 13 × 12 pixels, the image is 48 × 40 pixels\.",
    ):
        read(folder)


def test_background_alone_teaches_nothing(folder):
    for n in range(4):
        relabel(folder, np.zeros((40 + 4 * (n % 3), 48), np.int32), f"a{n}")
    with pytest.raises(InvalidImageError, match="All labels are background"):
        read(folder)


def test_grey_and_colour_are_not_mixed(folder):
    write_png(folder / "images" / "a5.png", np.zeros((20, 20, 3), np.uint8) + np.arange(20, dtype=np.uint8)[:, None])
    with pytest.raises(InvalidImageError, match="grey and colour"):
        read(folder)


def test_images_that_went_meanwhile_are_left_out_and_told(folder):
    pairs = find_images_with_labels(folder / "images", folder / "labels")
    (folder / "images" / "a1.png").unlink()
    (folder / "images" / "a6.png").unlink()
    data = drain(iter_examples(pairs, 32))
    assert len(data) == 6
    assert len(data.left_out) == 2
    for pair in pairs:
        pair.image.unlink(missing_ok=True)
    with pytest.raises(InvalidImageError, match="None of the 8 images"):
        drain(iter_examples(pairs, 32))


def test_a_labelled_image_that_is_damaged_is_an_error(folder):
    (folder / "images" / "a2.png").write_bytes(b"\x89PNG\r\n\x1a\n damaged")
    with pytest.raises(ReadError, match=r"a2\.png"):
        read(folder)


def test_slices_know_their_place_and_empty_ones_mean_what_is_said(tmp_path):
    geometry = Geometry((2.0, 1.0, 1.0), (0.0,) * 3, tuple(map(tuple, np.eye(3).tolist())))
    volume = np.stack([scene(n)[0] for n in range(5)])
    labels = np.stack([scene(n)[1] for n in range(5)])
    labels[3:] = 0
    write_labels(tmp_path / "images" / "v.nii.gz", volume, geometry)
    write_labels(tmp_path / "labels" / "v.nii.gz", labels, geometry)
    data = read(tmp_path)
    assert data.stacks
    assert data.labelled.all()
    np.testing.assert_allclose(data.positions, [0, 0.25, 0.5, 0.75, 1])
    assert read(tmp_path, empty_slices="unlabelled").labelled.tolist() == [True] * 3 + [False] * 2


def test_a_class_of_any_number_is_a_label(tmp_path):
    geometry = Geometry((2.0, 1.0, 1.0), (0.0,) * 3, tuple(map(tuple, np.eye(3).tolist())))
    labels = np.stack([scene(0)[1], np.zeros_like(scene(0)[1])])
    labels[labels > 0] = 510
    write_labels(tmp_path / "images" / "v.nii.gz", np.stack([scene(n)[0] for n in range(2)]), geometry)
    write_labels(tmp_path / "labels" / "v.nii.gz", labels, geometry)
    data = read(tmp_path, empty_slices="unlabelled")
    assert (list(data.classes), data.labelled.tolist()) == ([510], [True, False])


def test_labels_that_may_lie_as_a_photograph_is_stored_are_told(folder):
    stored = np.arange(400, dtype=np.uint8).reshape(20, 20)
    save_noted(folder / "images" / "a0.png", stored, 3)
    relabel(folder, (stored > 90).astype(np.int32))
    assert not read(folder).remarks
    save_noted(folder / "labels" / "a0.png", (stored > 90).astype(np.uint8), 1)
    (remark,) = read(folder).remarks
    assert remark.startswith("a0.png: their image's file has a note to be turned by 180°")


@pytest.mark.parametrize("classes", [None, {value: f"Cell {value}" for value in range(1, 193)}])
@pytest.mark.parametrize("files", [1, 2])
def test_more_classes_than_there_are_channels_are_refused(folder, classes, files):
    values = 1 + np.arange(1920).reshape(40, 48) // (10 * files)
    for n, name in enumerate(("a0", "a3")[:files]):
        relabel(folder, (values + n * 96).astype(np.int32), name)
    with pytest.raises(InvalidImageError, match=r"at most 126 classes; the labels have \d+\. .* the same one"):
        read(folder, classes=classes)


def test_of_an_image_that_cannot_be_read_and_has_labels_the_way_out_is_told(folder):
    (folder / "images" / "a0.png").write_bytes(b"x")
    with pytest.raises(ReadError, match=r"a0\.png.* Mend the image, or move its labels out of .*labels\."):
        read(folder)
