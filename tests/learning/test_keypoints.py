import numpy as np

from napari_s3net.learning.keypoints import Keypoints, find_keypoints, match_descriptors, pad_points


def blobs(shift=0):
    y, x = np.mgrid[:64, :64].astype(np.float32)
    places = [(16, 16, 3), (40, 20, 4), (28, 44, 5)]
    return sum(np.exp(-((x - a - shift) ** 2 + (y - b) ** 2) / (2 * s**2)) for a, b, s in places)


def test_keypoints_lie_on_blobs_in_x_and_y_and_are_unique():
    found = find_keypoints(blobs(), 50)
    nearest = np.abs(found.places - np.array([16.5, 16.5])).sum(1).min()
    assert nearest < 1.5
    assert np.abs(found.places - np.array([28.5, 44.5])).sum(1).min() < 1.5
    assert len(np.unique(found.places.round(1), axis=0)) == len(found.places)
    assert found.descriptors.shape == (len(found.places), 128)


def test_there_are_no_more_than_asked_for_and_none_in_nothing():
    assert len(find_keypoints(blobs(), 50).places) > 2
    assert len(find_keypoints(blobs(), 2).places) == 2
    assert len(find_keypoints(np.zeros((64, 64)), 10).places) == 0
    assert len(find_keypoints(np.eye(8), 10).places) == 0


def test_padding_tells_what_is_real():
    points = pad_points(
        [Keypoints(np.ones((2, 2), np.float32), np.zeros((2, 128), np.uint8)), find_keypoints(np.zeros((64, 64)), 5)]
    )
    assert points.places.shape == (2, 2, 2)
    assert points.real.tolist() == [[True, True], [False, False]]


def test_matches_are_mutual_and_near():
    first, second = find_keypoints(blobs(), 50), find_keypoints(blobs(3), 50)
    a, b = match_descriptors(first, second, 6)
    assert len(a) >= 2
    assert np.allclose(second.places[b] - first.places[a], [3, 0], atol=1)
    assert len(match_descriptors(first, second, 1)[0]) == 0
    nothing = find_keypoints(np.zeros((64, 64)), 5)
    assert len(match_descriptors(first, nothing, 6)[0]) == 0
