from napari_s3net.image import Geometry
from napari_s3net.plugin.widgets import result_text as words
from napari_s3net.plugin.widgets.text import NARROW
from napari_s3net.settings import presets


def flat(text):
    """With ordinary spaces, which are easier to read."""
    return text.replace(NARROW, " ")


def about(**changes):
    settings = presets["skin"].settings.replace(seed=3, max_iter=55, remove_hair=False)
    return {
        "source": "IMD042",
        "axis": None,
        "slice": None,
        "kind": "rgb",
        "preset": "skin",
        "settings": settings.to_dict(),
        "version": "0.1.0",
        "device": "cpu",
        "seconds": 1.94,
        "iterations": 40,
        "stopped": False,
        "foreground": [1, 2],
        "object_name": "Lesion",
        "names": {1: "Lesion", 2: "Lesion rim", 3: "Skin"},
        **changes,
    }


def test_outcome():
    assert flat(words.outcome_text(about(), 0.214, "38.2 mm²")) == "Lesion 38.2 mm² (21 % of the image)"
    assert (
        flat(words.outcome_text(about(certainty="look"), 0.0214, "9 px")) == "Lesion 9 px (2.1 % of the image) · look"
    )
    assert words.outcome_text(about(foreground=[], certainty="no clear object"), 0.0, "") == "No clear object"
    assert flat(words.outcome_text(about(slice=3), 0.214, "9 px")).endswith("of the slice)")
    assert flat(words.outcome_text(about(geometry=Geometry.identity(3)), 0.214, "9 px")).endswith("of the slice)")
    assert flat(words.outcome_text(about(geometry=Geometry.identity(2)), 0.214, "9 px")).endswith("of the image)")
    assert words.outcome_text(about(names={1: "Lesion, darker", 2: "Lesion"}), 0.2, "9 px").startswith("Lesion 9 px")
    assert words.outcome_text(about(object_name="Object"), 0.2, "9 px").startswith("Object 9 px")
    assert words.outcome_text(about(foreground=[]), 0.0, "") == "No object proposed"
    assert "0.93" in words.certainty_tip(about(certainty="sure", confidence=0.93))
    assert words.certainty_tip(about(confidence=0.93)) == ""
    assert flat(words.effort_text(about())) == "40 iterations · 1.9 s · CPU"
    assert flat(words.effort_text(about(stopped=True, iterations=1))) == "stopped after 1 · 1.9 s · CPU"
    assert flat(words.effort_text(about(iterations=0))) == "1.9 s · CPU", "of a model"
    assert flat(words.effort_text(about(iterations=0, stopped=True))) == "stopped · 1.9 s · CPU"
