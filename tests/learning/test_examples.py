from napari_s3net.learning.files import find_images_with_labels
from napari_s3net.learning.read_examples import iter_examples
from napari_s3net.runtime.generators import drain


def test_half_the_size_keeps_what_is_where(folder):
    data = drain(iter_examples(find_images_with_labels(folder / "images", folder / "labels"), 32)).with_keypoints(16)
    half = data.shrunk()
    assert half.images.shape == (8, 1, 16, 16)
    assert (half.labels == data.labels[:, 1::2, 1::2]).all()
    assert half.keypoints[0].places.max() <= 16
