import pytest

from napari_s3net.errors import InvalidImageError, ReadError
from napari_s3net.learning.files import file_for_labels, find_images_with_labels, parse_classes


def touch(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def named(pairs):
    return {pair.name: pair.labels.name if pair.labels else None for pair in pairs}


def test_labels_are_found_by_the_names_of_their_images(tmp_path):
    touch(tmp_path, "images/a.png", "images/b.jpg", "images/deep/c.nii.gz", "images/.hidden.png", "images/notes.txt")
    touch(tmp_path, "labels/a.png", "labels/c_seg.nii.gz")
    assert named(find_images_with_labels(tmp_path / "images", tmp_path / "labels")) == {
        "a": "a.png",
        "b": None,
        "deep/c": "c_seg.nii.gz",
    }


def test_labels_go_to_one_image_alone(tmp_path):
    touch(
        tmp_path,
        "images/1.png",
        "images/p1/1.png",
        "images/p2/1.png",
        "images/p3/2.png",
        "images/v.hdr",
        "images/v.img",
    )
    touch(tmp_path, "labels/1.png", "labels/p2/1_mask.png", "labels/2.png", "labels/v.nii.gz")
    assert named(find_images_with_labels(tmp_path / "images", tmp_path / "labels")) == {
        "1": "1.png",
        "p1/1": None,
        "p2/1": "1_mask.png",
        "p3/2": "2.png",
        "v": "v.nii.gz",
    }


@pytest.mark.parametrize("other", ["images/p4/2.png", "images/p3/2.jpg"])
def test_labels_that_are_called_like_two_images_are_refused(tmp_path, other):
    touch(tmp_path, "images/p3/2.png", other, "labels/2.png")
    with pytest.raises(ReadError, match=r"2\.png are called like 2 images \(p3/2\.(png|jpg), p[34]/2\.png\)"):
        find_images_with_labels(tmp_path / "images", tmp_path / "labels")


@pytest.mark.parametrize(
    ("names", "listed"), [(("a.png", "a.tif"), r"a\.png, a\.tif"), (("a_gt.nii", "a_gt.mha"), "a_gt")]
)
def test_several_files_of_labels_of_one_image_are_refused(tmp_path, names, listed):
    touch(tmp_path, "images/a.png", *(f"labels/{name}" for name in names))
    with pytest.raises(ReadError, match=f"The image a has 2 files of labels in .*labels .*{listed}.*move the others"):
        find_images_with_labels(tmp_path / "images", tmp_path / "labels")
    (tmp_path / "labels" / names[1]).unlink()
    assert named(find_images_with_labels(tmp_path / "images", tmp_path / "labels")) == {"a": names[0]}


def test_labels_of_a_header_and_its_pixels_are_one_file(tmp_path):
    touch(tmp_path, "images/a.nii", "labels/a.hdr", "labels/a.img")
    (pair,) = find_images_with_labels(tmp_path / "images", tmp_path / "labels")
    assert pair.labels is not None


def test_labels_in_a_folder_within_that_of_the_images_are_no_images(tmp_path):
    touch(tmp_path, "images/a.png", "images/b.png", "images/labels/a.png")
    found = find_images_with_labels(tmp_path / "images", tmp_path / "images" / "labels")
    assert named(found) == {"a": "a.png", "b": None}


@pytest.mark.parametrize("labels", [None, "images", "labels"])
def test_results_beside_their_images_are_no_images(tmp_path, labels):
    touch(tmp_path, *(f"images/a{end}.png" for end in ("", "_labels", "_mask", "_overlay")), "images/b_mask.png")
    touch(tmp_path, "labels/a.png")
    found = find_images_with_labels(tmp_path / "images", None if labels is None else tmp_path / labels)
    assert [pair.name for pair in found] == ["a", "b_mask"], "the last one is of no image that is here"


def test_labels_are_written_where_they_are_found_and_over_no_image(tmp_path):
    images, labels = tmp_path / "images", tmp_path / "labels"
    touch(tmp_path, "images/a.png", "images/b.png", "labels/b.tif", "labels/c.dcm")
    assert file_for_labels(images / "a.png", labels, ".png") == labels / "a.png"
    assert file_for_labels(images / "a.png", tmp_path / "new", ".png") == tmp_path / "new" / "a.png"
    assert file_for_labels(images / "b.png", labels, ".png") == labels / "b.tif"
    assert file_for_labels(images / "c.png", labels, ".png") == labels / "c.png", "DICOM is no format for it"
    (tmp_path / "link").symlink_to(images)
    for beside in (images, tmp_path / "link"):
        assert file_for_labels(images / "a.png", beside, ".png") == beside / "a_labels.png"


def test_labels_beside_their_images_are_no_images(tmp_path):
    touch(tmp_path, "p1.nii.gz", "p1_gt.nii.gz", "p2.nii.gz")
    assert named(find_images_with_labels(tmp_path, tmp_path)) == {"p1": "p1_gt.nii.gz", "p2": None}
    assert named(find_images_with_labels(tmp_path)) == {"p1": None, "p2": None}


def test_of_a_batch_what_was_corrected_counts(tmp_path):
    touch(tmp_path, "images/a.png", "images/b.png", "out/masks/a.png", "out/masks/b.png", "out/corrected/masks/b.png")
    pairs = find_images_with_labels(tmp_path / "images", tmp_path / "out")
    assert [pair.name for pair in pairs if pair.labels] == ["b"]
    assert "corrected" in str(pairs[1].labels)


def test_of_a_batch_without_corrections_it_is_said_what_to_do(tmp_path):
    touch(tmp_path, "images/a.png", "out/masks/a.png", "out/report.jsonl")
    with pytest.raises(ReadError, match=r"the batch in .*out has found is corrected yet.*Review in the Batch dock"):
        find_images_with_labels(tmp_path / "images", tmp_path / "out")


def test_missing_folders_images_and_labels_are_told(tmp_path):
    touch(tmp_path, "images/a.png", "labels/other.png")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ReadError, match="Expected a folder"):
        find_images_with_labels(tmp_path / "nowhere")
    with pytest.raises(ReadError, match="no images"):
        find_images_with_labels(tmp_path / "empty")
    with pytest.raises(ReadError, match=r"No labels found.*a\.png"):
        find_images_with_labels(tmp_path / "images", tmp_path / "labels")


def test_classes_are_written_as_numbers_with_names():
    assert parse_classes("1=Right ventricle, 3=LV") == {1: "Right ventricle", 3: "LV"}
    for wrong in ("Lesion", "0=Background", "300=Far"):
        with pytest.raises(InvalidImageError, match="Classes are numbers"):
            parse_classes(wrong)
