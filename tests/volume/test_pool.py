import time

from napari_s3net.volume.pool import AHEAD, in_order, workers


def test_results_come_in_order_and_few_are_begun_ahead():
    begun, most = [], 0

    def work(index):
        begun.append(index)
        time.sleep(0.01 * (index % 2))
        return index * index

    with workers() as pool:
        for index, square in in_order(pool, work, 20):
            assert square == index * index
            most = max(most, len(begun) - index - 1)
    assert most <= AHEAD
    assert sorted(begun) == list(range(20))


def test_an_error_reaches_whoever_asks():
    def work(index):
        return 1 // index

    with workers() as pool:
        try:
            list(in_order(pool, work, 3))
        except ZeroDivisionError:
            return
    raise AssertionError
