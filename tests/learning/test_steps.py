"""How far reading and learning have come."""

from napari_s3net.learning.steps import LearnStep


def test_a_step_does_not_show_or_compare_its_network():
    one, other = (LearnStep(1, 2, {"dice": 0.5}, None, network) for network in ("network", "another"))
    assert one == other
    assert "network" not in repr(one)
