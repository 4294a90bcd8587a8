from napari_s3net.batch import Summary
from napari_s3net.plugin.widgets import progress_text as words
from napari_s3net.plugin.widgets.text import NARROW


def flat(text):
    """With ordinary spaces, which are easier to read."""
    return text.replace(NARROW, " ")


def test_progress():
    assert flat(words.progress_text(18, 40, 1.1, 6)) == "18 of 40 · about 1.1 s left · 6 clusters"
    assert words.progress_text(1, 40, None, 1) == "1 of 40 · 1 cluster"
    assert words.progress_text(40, 40, 0.0, 3) == "40 of 40 · 3 clusters"


def test_how_far_a_batch_is():
    said = words.batch_text(412, 1204, 3, 1620, paused=False)
    assert said.replace("\u00a0", " ") == "412 of 1,204 · 3 failed · about 27 min left"
    assert words.batch_text(4, 4, 0, 0.0, paused=False) == "4 of 4"
    assert words.batch_text(2, 4, 0, 5.0, paused=True) == "2 of 4 · paused"


def test_a_batch_that_is_over_says_what_became_of_its_files_and_whether_it_was_stopped():
    assert words.summary_text(Summary(1200, 3, 1, stopped=False)) == "1,200 done, 3 failed, 1 done before."
    assert words.summary_text(Summary(2, 0, 0, stopped=True)) == "Stopped: 2 done, 0 failed, 0 done before."
