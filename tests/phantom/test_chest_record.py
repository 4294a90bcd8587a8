import pytest

from napari_s3net.phantom.chest_record import draw_chest_record

RECORDS = [draw_chest_record(seed) for seed in range(1000)]


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [("level", -0.1, 1.2), ("zoom", 0.8, 1.3), ("lung", -880, -600), ("noise", 6, 60), ("fat", 0.02, 0.12),
     ("contrast", 0, 280), ("effusion", 0, 0.2), ("emphysema", 0, 0.6), ("bowel", 0, 5), ("breasts", 0, 0.22)],
)  # fmt: skip
def test_numbers_are_drawn_over_their_whole_range(name, low, high):
    values = [getattr(record, name) for record in RECORDS]
    assert min(values) <= low
    assert max(values) >= high
