"""One model for the folder."""

from dataclasses import replace
from pathlib import Path

import pytest

from napari_s3net.batch import BatchReport, iter_batch
from napari_s3net.batch.fit import FITTING, choose, model_name
from napari_s3net.batch.items import Item, find_items
from napari_s3net.errors import InvalidImageError
from napari_s3net.runtime.generators import follow


def go(plan, executor):
    rows = []
    summary = follow(iter_batch(plan, executor=executor), rows.append)
    return [row for row in rows if row is not None], summary


@pytest.fixture
def fitted(plan, save):
    for n in range(3):
        save(plan.source / f"d{n}.png", n, shape=(48, 64))
    return replace(plan, fit="folder", preset="skin", changes={"working_size": 64})


def test_the_sample_is_spread_over_the_folder():
    items = [Item(str(n), Path(f"/nowhere/{n}"), str(n)) for n in range(1000)]
    chosen, model, digest = choose("a", items)
    assert len(chosen) == 300
    assert chosen[0] == items[0]
    assert int(chosen[-1].file) > 990
    assert model == model_name("a", chosen)
    assert digest in model
    assert choose("a", items[:5])[0] == items[:5]


def test_another_model_for_other_images_or_settings(plan, save):
    items = find_items(plan)
    name = model_name("a", items)
    assert name == model_name("a", find_items(plan))
    assert len({name, model_name("b", items), model_name("a", items[:2])}) == 3
    save(plan.source / "a.png", 9)
    assert model_name("a", items) != name


def test_one_model_is_fitted_kept_and_used(fitted, executor, save):
    (fitted.source / "empty.png").touch()
    rows, summary = go(fitted, executor)
    assert (summary.done, summary.failed) == (6, 1)
    assert rows[0].file == FITTING
    (model,) = (fitted.output / "settings").glob("folder-*.safetensors")
    assert FITTING not in [row.file for row in BatchReport(fitted.output).rows()]
    rows, summary = go(fitted, executor)
    assert (summary.skipped, summary.failed) == (6, 1)
    assert FITTING not in [row.file for row in rows]
    save(fitted.source / "e.png", 8)
    _, summary = go(fitted, executor)
    assert (summary.done, summary.skipped) == (7, 0)
    assert len(list((fitted.output / "settings").glob("folder-*.safetensors"))) == 2
    assert model.exists()


def test_images_that_cannot_be_fitted_on_are_told(fitted, executor):
    with pytest.raises(InvalidImageError, match="cannot be fitted"):
        go(replace(fitted, preset="ct-lung"), executor)
    for path in list(fitted.source.iterdir())[:4]:
        path.unlink()
    with pytest.raises(InvalidImageError, match="at least 4"):
        go(fitted, executor)
