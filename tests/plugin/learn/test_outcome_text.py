"""What is said of work that is done."""

from types import SimpleNamespace

import numpy as np
import pytest

from napari_s3net.plugin.learn.applying import Applied
from napari_s3net.plugin.learn.outcome_text import applied_text, learned_text, next_text


@pytest.mark.parametrize(
    ("steps", "dice", "words"),
    [
        (20, None, "Learned from 2 images."),
        (20, 0.678, "Learned from 2 images. Dice on images set aside 0.68."),
        (12, None, "Stopped after 12 of 20 steps; Train goes on from there. Learned from 2 images."),
    ],
)
def test_what_was_learned(steps, dice, words):
    record = {"steps": steps, "steps asked": 20, "dice on images set aside": dice, "labelled images": 2}
    assert learned_text(record) == words


def test_of_the_dice_it_is_said_on_how_many_images():
    record = {
        "steps": 20,
        "steps asked": 20,
        "dice on images set aside": 0.678,
        "labelled images": 7,
        "set aside": ["0" * 12],
    }
    assert learned_text(record) == "Learned from 7 images. Dice on images set aside (1 of them) 0.68."


def applied(ndim=2, done=1, slices=1, replaced=False):
    return Applied(None, SimpleNamespace(data=np.zeros((2,) * ndim)), done, slices, replaced)


def test_what_a_model_was_applied_to_and_what_to_do_then():
    assert applied_text(applied(), can_be_kept=False) == "Applied. Correct what is wrong in the Correct dock."
    words = applied_text(applied(ndim=3, done=2, slices=4, replaced=True), can_be_kept=True)
    assert words.startswith("Applied to 2 of 4 slices. ")
    assert "then Keep correction and Train. Labels that were changed made room; Ctrl-Z brings them back. Sl" in words
    assert "Slices that you look at" not in applied_text(applied(ndim=3), can_be_kept=False)


def test_of_a_volume_it_is_said_what_counts_as_corrected():
    assert next_text("a.png", "", is_stack=False) == "a.png: correct it, then Keep correction and Train."
    assert "Slices that you look at" in next_text("a.nii.gz", "", is_stack=True)
