import signal
import subprocess
import sys
import time

import torch

from napari_s3net.io import read_labels
from napari_s3net.training.weights import read_tensors
from tests.cli.helpers import TINY, names, run


def test_learned_from_a_few_and_applied_to_the_rest(folder, capsys):
    model = folder / "m.safetensors"
    named = "1=Bright,2=Dark"
    assert run("learn", folder / "images", folder / "labels", "-o", model, "--classes", named, *TINY) == 0
    said = capsys.readouterr().out
    assert "4 images, 2 with labels; classes: Bright, Dark" in said
    assert "20 of 20: supervised" in said
    assert run("predict", model, folder / "images", "-o", folder / "out") == 0
    assert read_labels(folder / "out" / "a3_labels.png").array.shape == (52, 48)
    assert run("batch", folder / "images", folder / "batch", "--model", model) == 0
    for n in range(4):
        first, second = (folder / where for where in (f"out/a{n}_labels.png", f"batch/labels/a{n}.png"))
        assert (read_labels(first).array == read_labels(second).array).all()
        assert read_labels(first).segments == read_labels(second).segments
        assert read_labels(second).segments[0].colour == (9, 200, 7), "as in the files that it was learned from"
    capsys.readouterr()
    assert run("batch", folder / "images", folder / "batch", "--model", model) == 0
    assert "0 done, 0 failed, 4 skipped" in capsys.readouterr().err


def test_another_model_does_every_file_again(folder, capsys):
    for seed in (0, 1):
        model = folder / f"m{seed}.safetensors"
        learned = ("learn", folder / "images", folder / "labels", "-o", model, "--seed", seed, *TINY, "steps=2")
        assert run(*learned) == 0
        assert run("batch", folder / "images", folder / "batch", "--model", model) == 0
        assert "4 done" in capsys.readouterr().err


def test_what_is_wrong_is_told_in_one_line(folder, capsys):
    images, labels, model = folder / "images", folder / "labels", folder / "m.safetensors"
    (folder / "empty").mkdir()
    (folder / "foreign.safetensors").write_text("something else")
    for words, line in (
        (("learn", images, folder / "empty", "-o", model), "No labels found"),
        (("learn", images, labels, "-o", model, "--classes", "1=A"), "class 2"),
        (("learn", images, labels, "-o", model, "--set", "steps=many"), "steps is a whole number"),
        (("learn", images, labels, "-o", model, "--set", "nonsense=1"), "no setting"),
        (("learn", images, labels, "-o", folder / "foreign.safetensors"), "safetensors file"),
        (("learn", images, labels, "-o", folder), "is a folder"),
        (("learn", images, labels, "-o", model, "--init", folder / "none"), "no weight file"),
        (("predict", folder / "none", images, "-o", folder / "out"), "no weight file"),
        (("batch", images, folder / "b", "--model", folder / "none"), "no model"),
        (("batch", images, folder / "b", "--model", folder / "foreign.safetensors"), "safetensors file"),
    ):
        assert run(*words) == 2
        said = capsys.readouterr().err
        assert line in said
        assert said.count("\n") == 1


def test_killed_at_any_moment_it_goes_on_to_the_same_model(folder):
    """A kill after the first checkpoint; the model is the one of a run that was left alone."""
    options = [*TINY, "steps=120", "--seed", "3"]
    whole, killed = folder / "whole.safetensors", folder / "killed.safetensors"
    command = ("learn", folder / "images", folder / "labels", "-o")
    assert run(*command, whole, *options) == 0
    checkpoint = folder / "killed.checkpoint.safetensors"
    words = [sys.executable, "-m", "napari_s3net", *map(str, (*command, killed)), *options]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL) as process:
        while not checkpoint.exists() and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    assert checkpoint.exists()
    assert not killed.exists()
    assert read_tensors(checkpoint)[1]["iteration"] in ("50", "100")
    assert run(*command, killed, *options) == 0
    (first, about), (second, it) = read_tensors(whole), read_tensors(killed)
    assert about == it
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert names(folder) == ["images", "killed.safetensors", "labels", "whole.safetensors"]
