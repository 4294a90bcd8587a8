"""`napari-s3net batch`, with a threshold in place of the network."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import tifffile

from napari_s3net import cli
from napari_s3net.batch import iter_batch
from napari_s3net.batch.report import light_rows
from napari_s3net.batch.review import Review
from napari_s3net.cli.batch import ctrl_c
from napari_s3net.phantom import disc
from napari_s3net.runtime import child_pool
from napari_s3net.settings import presets
from tests.batch import segmenters


@pytest.fixture(scope="module", autouse=True)
def close_children():
    yield
    child_pool.close_all()


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setitem(iter_batch.__kwdefaults__, "segmenter", segmenters.deadly)


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("a.png", "b.jpg"):
        PIL.Image.fromarray(disc(kind="rgb").image.array).save(folder / name)
    return folder


def run(*words):
    return cli.main(["batch", *(str(word) for word in words)])


def test_a_line_a_file_and_one_at_the_end(quick, photos, tmp_path, capsys):
    assert run(photos, tmp_path / "out") == 0
    out, err = capsys.readouterr()
    assert [line.split(":")[0] for line in out.splitlines()] == ["a.png", "b.jpg"]
    assert "object" in out
    assert err.startswith("napari-s3net: 2 done, 0 failed, 0 skipped")
    assert err.count("\n") == 1
    assert run(photos, tmp_path / "out") == 0
    out, err = capsys.readouterr()
    assert out.splitlines() == ["a.png: done before", "b.jpg: done before"]
    assert run(photos, tmp_path / "out", "--restart") == 0
    assert "2 done" in capsys.readouterr().err


def test_reviewed_results_are_replaced_only_where_that_is_asked_for(quick, photos, tmp_path, capsys):
    assert run(photos, tmp_path / "out") == 0
    Review(tmp_path / "out").decide(light_rows(tmp_path / "out")["a.png"], "accepted")
    capsys.readouterr()
    for flags in (["--restart"], ["--seed", 3]):
        assert run(photos, tmp_path / "out", *flags) == 2
        assert "will not replace results that were reviewed: a.png" in capsys.readouterr().err.lower()
    assert run(photos, tmp_path / "out") == 0, "what is done is skipped"
    assert run(photos, tmp_path / "out", "--seed", 3, "--replace-reviewed") == 0
    assert "2 done" in capsys.readouterr().err


def test_failures_are_1_and_told(quick, photos, tmp_path, capsys):
    (photos / "empty\n.png").touch()
    assert run(photos, tmp_path / "out", "--write", "masks,overlays") == 1
    out, err = capsys.readouterr()
    assert "empty?.png: failed: the file is empty (0 bytes)." in out
    assert "1 failed" in err
    assert sorted(p.name for p in (tmp_path / "out").iterdir() if p.is_dir()) == [
        "masks",
        "overlays",
        "settings",
        "thumbnails",
    ]


def test_settings_and_pattern(quick, photos, tmp_path):
    (photos / "more").mkdir()
    PIL.Image.open(photos / "b.jpg").save(photos / "more" / "c.jpg")
    words = ["--preset", "generic", "--seed", 4, "--pattern", "*.jpg", "--recursive", "--set", "clusters=9"]
    assert run(photos, tmp_path / "out", *words) == 0
    assert sorted(p.name for p in (tmp_path / "out" / "labels").rglob("*.png")) == ["b.png", "c.png"]
    (settings,) = (tmp_path / "out" / "settings").iterdir()
    assert (
        json.loads(settings.read_text(encoding="utf-8"))
        == presets["generic"].settings.replace(seed=4, clusters=9).to_dict()
    )


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--preset", "skim"], "skim"),
        (["--write", "videos"], "videos"),
        (["--fit", "all"], "all"),
        (["--pattern", "*.dcm"], "*.dcm"),
        (["--device", "abacus"], "abacus"),
        (["--jobs", "0"], "0 jobs"),
        (["--jobs", "many"], "--jobs"),
    ],
)
def test_wrong_use_is_2_and_one_line(quick, photos, tmp_path, capsys, words, named):
    assert run(photos, tmp_path / "out", *words) == 2
    err = capsys.readouterr().err
    assert named in err
    assert err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_places_that_cannot_be_used_are_2(quick, photos, tmp_path, capsys):
    assert run(tmp_path / "nowhere", tmp_path / "out") == 2
    assert run(photos, photos) == 2
    (tmp_path / "mine" / "labels").mkdir(parents=True)
    assert run(photos, tmp_path / "mine") == 2
    assert capsys.readouterr().err.count("\n") == 3


def test_on_a_terminal_there_is_a_bar(quick, photos, tmp_path, capsys, monkeypatch):
    (photos / "empty.png").touch()
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert run(photos, tmp_path / "out") == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "empty.png: failed: the file is empty" in err
    assert "3/3" in err


def test_the_bar_tells_the_slice_of_a_volume(photos, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(iter_batch.__kwdefaults__, "segmenter", segmenters.stepwise)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    tifffile.imwrite(
        photos / "stack.tif", np.random.default_rng(0).integers(0, 99, (3, 24, 32), np.uint8), photometric="minisblack"
    )
    assert run(photos, tmp_path / "out", "--pattern", "stack.tif") == 0
    assert "slice 3 of 3" in capsys.readouterr().err


def test_interrupted_it_is_130_and_keeps_what_is_finished(photos, tmp_path):
    for n in range(60):
        PIL.Image.open(photos / "a.png").save(photos / f"{n}.png")
    words = ["batch", photos, tmp_path / "out", "--set", "working_size=32", "max_iter=1"]
    command = [sys.executable, "-m", "napari_s3net", *map(str, words)]
    with (
        (tmp_path / "err").open("w", encoding="utf-8") as err,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=err, encoding="utf-8") as running,
    ):
        first = running.stdout.readline()
        os.kill(running.pid, signal.SIGINT)
        running.stdout.read()
        assert running.wait(60) == 130
    assert first.startswith("0.png: ")
    assert (tmp_path / "err").read_text(encoding="utf-8") == "napari-s3net: interrupted; what was finished is kept.\n"
    assert 1 <= (tmp_path / "out" / "report.jsonl").read_bytes().count(b"\n") < 62
    assert (tmp_path / "out" / "report.html").exists()
    assert (tmp_path / "out" / "labels" / "0.png").exists()


@pytest.mark.parametrize("how", ["closed pipe", "full disk", "closed"])
def test_where_nothing_can_be_printed_the_batch_ends_in_order(photos, tmp_path, how):
    code = (
        "import sys; from napari_s3net import cli; from napari_s3net.batch import iter_batch; "
        "from tests.batch import segmenters; iter_batch.__kwdefaults__['segmenter'] = segmenters.deadly; "
        "sys.exit(cli.main(sys.argv[1:]))"
    )
    command = [sys.executable, "-W", "ignore", "-c", code, "batch", str(photos), str(tmp_path / "out")]
    if how == "closed":
        command = ["sh", "-c", 'exec "$@" >&-', "sh", *command]
    with (tmp_path / "err").open("w", encoding="utf-8") as err, Path("/dev/full").open("w", encoding="utf-8") as full:
        stdout = {"closed pipe": subprocess.PIPE, "full disk": full, "closed": None}[how]
        with subprocess.Popen(command, stdout=stdout, stderr=err) as running:
            if running.stdout is not None:
                running.stdout.close()
            code = running.wait(120)
    said = (tmp_path / "err").read_text(encoding="utf-8")
    assert "Traceback" not in said
    assert "Exception ignored" not in said
    assert (tmp_path / "out" / "report.html").exists()
    rows = (tmp_path / "out" / "report.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(rows) == (2 if how == "closed" else 1)
    assert code == {"closed pipe": 0, "full disk": 2, "closed": 0}[how]
    assert ("No space left" in said) == (how == "full disk")


def test_a_name_cannot_move_the_cursor(quick, photos, tmp_path, capsys):
    PIL.Image.open(photos / "a.png").save(photos / "red\x1b[31m.png")
    (photos / "bad\x1b[2J.png").touch()
    assert run(photos, tmp_path / "out") == 1
    out, err = capsys.readouterr()
    assert "\x1b" not in out + err
    assert "red?[31m.png: " in out


def test_ctrl_c_asks_for_an_end_and_does_not_break_in():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with ctrl_c() as asked:
            assert not asked.is_set()
            signal.raise_signal(signal.SIGINT)
            assert asked.is_set()
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        with ctrl_c() as asked:
            signal.raise_signal(signal.SIGINT)
        assert not asked.is_set(), "whoever is deaf to it stays so"
    finally:
        signal.signal(signal.SIGINT, before)


def test_help_is_light():
    code = "import sys, napari_s3net.cli as c; c.main(['batch', '--help']); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert not {"torch", "numpy", "SimpleITK", "scipy", "skimage", "tqdm", "distributed"} & set(done.stderr.split())
    assert "--restart" in done.stdout
