import numpy as np
import pytest

from napari_s3net.benchmark import semi
from napari_s3net.benchmark.csv_table import read_table
from napari_s3net.benchmark.semi import iter_semi, patient_of, plan_cells
from napari_s3net.benchmark.semi_page import semi_page
from napari_s3net.cli import main
from napari_s3net.errors import InvalidSettingsError, ReadError
from napari_s3net.image import Geometry
from napari_s3net.io.write import write_labels
from napari_s3net.learning import train
from napari_s3net.learning.settings import learn_settings
from napari_s3net.learning.steps import LearnStep
from napari_s3net.network.class_losses import IGNORED
from napari_s3net.progress import Notice
from napari_s3net.training.taught import shipped_path
from tests.learning.conftest import TINY, scene

SETTINGS = learn_settings(**{**TINY, "steps": 2})


@pytest.fixture
def acdc(tmp_path):
    geometry = Geometry((1.0,) * 3, (0.0,) * 3, tuple(map(tuple, np.eye(3).tolist())))
    for patient in (1, 2, 3, 31):
        images, labels = (np.stack(part) for part in zip(*(scene(patient + n) for n in range(2)), strict=True))
        write_labels(tmp_path / f"patient{patient:03}_frame01.nii.gz", images, geometry)
        write_labels(tmp_path / f"patient{patient:03}_frame01_gt.nii.gz", labels, geometry)
    return tmp_path


def test_cells_are_planned_draw_by_draw_and_wrong_ones_refused():
    cells = plan_cells(["unet", "ideal"], [2], 2)
    assert [(cell.row.name, cell.draw) for cell in cells] == [("unet", 0), ("ideal", 0), ("unet", 1), ("ideal", 1)]
    assert len(plan_cells((), (1, 2, 6), 3)) == 9 * len(semi.ROWS)
    with pytest.raises(InvalidSettingsError, match="nonsense"):
        plan_cells(["nonsense"], [2], 1)
    with pytest.raises(InvalidSettingsError, match="30"):
        plan_cells([], [30], 1)


def test_draws_differ_and_are_of_the_pool():
    drawn = [tuple(semi.drawn_patients(2, n)) for n in range(3)]
    assert len(set(drawn)) == 3
    assert all(1 <= patient <= 30 for patients in drawn for patient in patients)
    assert drawn[0] == tuple(semi.drawn_patients(2, 0))


def test_a_table_goes_on_where_it_was_and_test_patients_stay_out(acdc, tmp_path, monkeypatch):
    monkeypatch.setattr(semi, "drawn_patients", lambda labelled, draw: [1, 2][:labelled])
    seen = []
    learn = train.iter_learn

    def spy(data, settings, *args, **options):
        patients = np.array([patient_of(data.names[file]) for file in data.files])
        labelled = (data.labels != IGNORED).any(axis=(1, 2))
        seen.append((settings.method, *(sorted(set(of.tolist())) for of in (patients, patients[labelled]))))
        return (yield from learn(data, settings, *args, **options))

    monkeypatch.setattr(train, "iter_learn", spy)
    out = tmp_path / "out"
    assert len(list(iter_semi(acdc, out, plan_cells(["unet"], [1], 1), SETTINGS, print))) == 1
    cells = plan_cells(["unet", "ideal", "ideal-kaf"], [1], 1)
    assert [cell.row.name for cell in iter_semi(acdc, out, cells, SETTINGS, print)] == ["ideal", "ideal-kaf"]
    assert seen == [(method, [1, 2, 3], [1]) for method in ("plain", "ideal", "ideal")]
    rows = read_table(out / "semi.csv")
    assert len(rows) == 3 * 3  # cells × classes of the one test volume
    assert {row["patient"] for row in rows} == {"31"}
    other = SETTINGS.replace(steps=3)
    assert len(list(iter_semi(acdc, out, plan_cells(["unet"], [1], 1), other, print))) == 1  # another budget
    page = semi_page(out)
    assert page.count("### ") == 2
    assert "**Not measured yet: 98 of 99 trainings**: those marked –, and all of Self-training; IDEAL" in page
    assert "| U-Net from random |" in page
    assert "| Self-training |" not in page
    assert page.index("3 steps of") < page.index(f"{SETTINGS.steps} steps of")  # the latest first


def test_a_row_starts_from_the_weights_of_synthetic_images(acdc, tmp_path, monkeypatch):
    started = []
    learn = train.iter_learn

    def spy(*args, init, **options):
        started.append(init)
        return (yield from learn(*args, init=init, **options))

    monkeypatch.setattr(train, "iter_learn", spy)
    monkeypatch.setattr(semi, "drawn_patients", lambda labelled, draw: [1])
    out = tmp_path / "out"
    (cell,) = iter_semi(acdc, out, plan_cells(["ilka-taught"], [1], 1), SETTINGS.replace(steps=1), print)
    assert cell.row.backbone == "ilka"
    assert started == [shipped_path("chest")]
    assert not list((out / "models").glob("*.safetensors"))  # nothing was pre-trained


def test_each_fiftieth_step_is_told_and_what_lies_between_looks_is_not(tmp_path):
    told = []
    run = semi._Run(tmp_path, None, told.append)
    for step in (
        Notice("Learning to look closer…"),
        LearnStep(49, 100, {"a": 1.0}, None, None),
        LearnStep(50, 100, {}, None, None),
    ):
        run._say("unet", step)
    assert told == []
    run._say("unet", LearnStep(50, 100, {"a": 1.0}, None, None))
    assert told == ["unet: 50 of 100, a 1.000\n"]


def test_a_model_is_kept_before_it_is_tested(acdc, tmp_path, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(semi, "drawn_patients", lambda labelled, draw: [1])
    out, cells = tmp_path / "out", plan_cells(["unet"], [1], 1)
    with monkeypatch.context() as patched:
        patched.setattr(semi, "_evaluate", killed)
        with pytest.raises(KeyboardInterrupt):
            list(iter_semi(acdc, out, cells, SETTINGS, print))
    monkeypatch.setattr(train, "iter_learn", lambda *args, **options: pytest.fail("It was learned already."))
    assert list(iter_semi(acdc, out, cells, SETTINGS, print)) == cells
    assert len(read_table(out / "semi.csv")) == 3


def test_the_gain_is_that_of_the_draws_that_both_rows_have(tmp_path):
    def of(row, draw, dice):
        return (row, "2", draw, "31", "01", "1", dice, "60", "128 pixels", "CPU")

    rows = [of("unet", "0", "0.5"), of("unet", "1", "0.1"), of("ideal", "0", "0.75"), of("ideal", "2", "0.9")]
    lines = [",".join(row) for row in (semi.COLUMNS, *rows)]
    (tmp_path / "semi.csv").write_text("\n".join([*lines, ""]), encoding="utf-8")
    page = semi_page(tmp_path)
    assert "– / +0.250 / –" in page
    assert "Training as timed on CPU" in page


def test_times_of_two_devices_stand_beside_each_other(tmp_path):
    def of(draw, seconds, device):
        return ("unet", "2", draw, "31", "01", "1", "0.5", seconds, "128 pixels", device)

    lines = [",".join(row) for row in (semi.COLUMNS, of("0", "60", "a card"), of("1", "600", "a CPU"))]
    (tmp_path / "semi.csv").write_text("\n".join([*lines, ""]), encoding="utf-8")
    page = semi_page(tmp_path)
    assert "| 1.0 min / 10.0 min |" in page
    assert "Training as timed on a card / on a CPU," in page


def test_folders_without_acdc_are_told(tmp_path, acdc):
    (tmp_path / "patient031_frame01.nii.gz").unlink()
    with pytest.raises(ReadError, match="Expected patients"):
        list(iter_semi(acdc, tmp_path / "out", plan_cells(["unet"], [1], 1), SETTINGS, print))


def test_from_the_command_line(acdc, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(semi, "drawn_patients", lambda labelled, draw: [1])
    tiny = ["--set", *(f"{name}={value}" for name, value in {**TINY, "steps": 2}.items())]
    words = ["benchmark", str(acdc), "-o", str(tmp_path / "out"), "--semi", "--rows", "unet", "--labelled", "1"]
    assert main([*words, "--draws", "1", *tiny]) == 0
    assert "U-Net from random, 1 labelled patients, draw 0: done" in capsys.readouterr().out
    assert main(["benchmark", "--semi", "--page", str(tmp_path / "out"), "-o", str(tmp_path / "page.md")]) == 0
    assert "## ACDC" in (tmp_path / "page.md").read_text(encoding="utf-8")
    assert main([*words, "--set", "nonsense=1"]) == 2
