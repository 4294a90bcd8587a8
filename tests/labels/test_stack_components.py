import numpy as np
from scipy import ndimage

from napari_s3net.labels.stack_components import StackComponents, overlaps


def joined(stack, link=None):
    followed, planes = StackComponents(), []
    for plane in stack:
        components, n = ndimage.label(plane)
        followed.add(components, n, link)
        planes.append(components)
    return np.stack([group[plane] for group, plane in zip(followed.groups(), planes, strict=True)])


def test_components_are_those_of_the_whole_stack():
    stack = np.random.default_rng(0).random((9, 12, 14)) > 0.7
    expected, n = ndimage.label(stack)
    found = joined(stack)
    assert found.max() == n
    assert len({*zip(found.ravel().tolist(), expected.ravel().tolist(), strict=True)}) == n + 1


def test_a_link_keeps_apart_what_hardly_overlaps():
    stack = np.zeros((2, 4, 8), bool)
    stack[0, :, :5] = stack[1, :, 4:] = True
    assert joined(stack).max() == 1
    assert joined(stack, lambda a, b, pixels: pixels > 4).max() == 2


def test_overlaps_counts_shared_pixels():
    first, second = np.array([[1, 1, 2, 0]]), np.array([[3, 1, 1, 1]])
    pairs = {(int(a), int(b)): int(n) for a, b, n in zip(*overlaps(first, second), strict=True)}
    assert pairs == {(1, 3): 1, (1, 1): 1, (2, 1): 1}
    assert len(overlaps(first, np.zeros_like(second))[0]) == 0
