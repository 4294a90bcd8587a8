from dataclasses import dataclass

import pytest

from napari_s3net.plugin.layers.palette import OBJECT as BLUES
from napari_s3net.plugin.layers.palette import OTHER
from napari_s3net.plugin.widgets.cluster_model import NAME, ROLE, ClusterModel, rows_of
from napari_s3net.plugin.widgets.text import NARROW


@dataclass
class Measured:
    id: int
    name: str
    is_object: bool
    share: float = 0.25
    area: float = 38.2
    unit: str = "mm²"
    mean: float = 118.0
    sd: float = 22.0


ROWS = rows_of([Measured(2, "Skin", False), Measured(1, "Lesion", True), Measured(4, "", False)], "rgb")


def test_rows_are_in_order_of_id_and_speak_plainly():
    assert [row.label for row in ROWS] == [1, 2, 4]
    assert ROWS[2].name == "Cluster 4"
    assert (ROWS[0].share, ROWS[0].area) == (f"25.0{NARROW}%", f"38.2{NARROW}mm²")
    assert ROWS[0].mean == "118 ± 22"


def test_colours_are_those_of_the_view():
    assert ROWS[0].colour == BLUES[0]
    assert ROWS[1].colour == OTHER[1]


@pytest.mark.viewer
@pytest.mark.parametrize(("name", "told"), [("", []), ("   ", []), ("Skin", []), (" Ruler ", [(2, "Ruler")])], ids=repr)
def test_a_new_name_is_asked_for_and_shown_once_it_comes_back(qapp, name, told):
    model, asked = ClusterModel(), []
    model.show_rows(ROWS)
    model.renamed.connect(lambda *what: asked.append(what))
    assert model.setData(model.index(1, NAME), name) == bool(told)
    assert asked == told
    assert model.data(model.index(1, NAME), ROLE.EditRole) == "Skin"
