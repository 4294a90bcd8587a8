from __future__ import annotations

import pytest

from napari_s3net.errors import ReadError
from napari_s3net.io.validation import limits


@pytest.mark.parametrize(
    ("n", "text"),
    [
        (0, "0 bytes"),
        (3_000, "3 kB"),
        (412e6, "412 MB"),
        (1.5e9, "1.5 GB"),
        (96e9, "96 GB"),
        (3e12, "3.0 TB"),
        (1e19, "10000 PB"),
    ],
)
def test_sizes_are_said_in_words(n, text):
    assert limits.in_words(n) == text


def test_an_image_that_fits_is_let_through():
    limits.check_memory((512, 512, 100), 2)
    limits.check_promise(100, 100)


def test_an_image_beyond_this_machine_is_refused_with_numbers():
    with pytest.raises(
        ReadError, match=r"100000 × 100000 × 1000 values; opening that takes \d+ TB of memory .* has \d"
    ):
        limits.check_memory((100_000, 100_000, 1000), 2)


def test_a_broken_promise_says_both_figures():
    with pytest.raises(
        ReadError, match=r"the header promises 412 MB, the file has 3 kB\. It was probably cut off while copying\."
    ):
        limits.check_promise(412_000_000, 3_000)


def test_of_a_packed_file_it_says_the_size_that_is_seen_in_the_folder():
    limits.check_promise(3_000_000, 3_000, ratio=1000)
    with pytest.raises(ReadError, match=r"promises 412 MB, the file has 3 kB\."):
        limits.check_promise(412_000_000, 3_000, ratio=1000)


def test_figures_that_sound_alike_are_told_apart():
    with pytest.raises(ReadError, match="promises 1998 bytes, the file has 1990 bytes"):
        limits.check_promise(1998, 1990)
