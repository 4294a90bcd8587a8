import numpy as np
from scipy import ndimage

from napari_s3net.foreground.stack_components import SliceComponents, StackComponents, overlaps


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


def test_components_are_numbered_in_the_order_of_the_stack_and_of_their_pixels():
    stack = np.zeros((3, 4, 9), bool)
    stack[:2, :, :2] = stack[0, :, 4] = stack[1:, :, 6:] = stack[2, 0, 0] = True
    found = joined(stack)
    assert [found[0, 0, 0], found[0, 0, 4], found[1, 0, 6]] == [1, 2, 3]
    stack[1, :, 1] = stack[2, :, 1:] = True
    found = joined(stack)
    assert [found[0, 0, 0], found[0, 0, 4], found[1, 0, 6], found[2, 0, 0]] == [1, 2, 1, 1]


def test_slices_without_components():
    assert not joined(np.zeros((3, 4, 5), bool)).any()
    assert StackComponents().groups() == []


def test_components_come_back_from_their_bits():
    mask = np.random.default_rng(0).random((7, 9)) > 0.6
    kept = SliceComponents(np.packbits(mask), mask.shape)
    np.testing.assert_array_equal(kept.components, ndimage.label(mask)[0])


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
