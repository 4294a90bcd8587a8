import json
from dataclasses import replace
from datetime import datetime

import pytest

from napari_s3net.batch import FileRow
from napari_s3net.batch.review import Review
from napari_s3net.errors import WriteError

SURE, UNSURE, MIDDLE = (
    FileRow(
        file=f"sub/{name}.png", status="done", confidence=value, settings="s", input="i", metadata={"foreground": [1]},
        outputs={"labels": f"labels/sub/{name}.nii.gz", "masks": f"masks/sub/{name}.nii.gz"},
    )
    for name, value in (("sure", 0.9), ("unsure", 0.1), ("middle", 0.5))
)  # fmt: skip
ROWS = [SURE, UNSURE, MIDDLE, FileRow(file="bad.png", status="failed")]


def test_the_least_certain_come_first_and_failures_not_at_all(tmp_path):
    assert Review(tmp_path).order(ROWS) == [UNSURE, MIDDLE, SURE]


def test_decisions_and_the_place_are_remembered(tmp_path):
    review = Review(tmp_path)
    order = review.order(ROWS)
    assert review.begin(order) == 0
    review.decide(UNSURE, "rejected")
    review.move(MIDDLE.file)
    again = Review(tmp_path)
    assert again.at == MIDDLE.file
    assert [again.decision(row) for row in order] == ["rejected", None, None]
    assert again.begin(order) == 1
    again.decide(SURE, "accepted")
    assert again.begin(order) == 1
    again.decide(MIDDLE, "accepted")
    assert again.begin(order) == 0


def test_nothing_is_decided_in_a_folder_that_is_gone(tmp_path):
    (tmp_path / "out").mkdir()
    review = Review(tmp_path / "out")
    (tmp_path / "out").rmdir()
    with pytest.raises(WriteError, match="out, is gone"):
        review.decide(SURE, "accepted")
    assert not (tmp_path / "out").exists()


def test_a_result_that_is_made_anew_has_to_be_looked_at_again(tmp_path):
    Review(tmp_path).decide(SURE, "accepted")
    review = Review(tmp_path)
    assert review.decision(SURE) == "accepted"
    assert review.decision(replace(SURE, settings="other")) is None
    assert review.decision(replace(SURE, input="other")) is None


def test_what_is_corrected_stays_so(tmp_path):
    review = Review(tmp_path)
    review.decide(SURE, "corrected", (2, 3))
    review.decide(SURE, "accepted")
    again = Review(tmp_path)
    assert again.decision(SURE) == "corrected"
    assert again.foreground(SURE) == (2, 3)
    assert again.foreground(UNSURE) == (1,)


def test_corrections_lie_apart_from_results(tmp_path):
    review = Review(tmp_path)
    assert review.corrected_path(SURE) == tmp_path / "corrected/labels/sub/sure.nii.gz"
    assert review.corrected_path(SURE, "masks") == tmp_path / "corrected/masks/sub/sure.nii.gz"
    with pytest.raises(WriteError, match="neither"):
        review.corrected_path(FileRow(file="x", status="done"))
    with pytest.raises(WriteError, match="outside"):
        review.corrected_path(replace(SURE, outputs={"labels": "labels/../../x.png"}))


@pytest.mark.parametrize("text", ["", "{", "[]", '{"at": 1}', '{"at": "", "decisions": {"a": {"what": 1}}}'])
def test_a_file_that_is_none_of_ours_is_an_empty_review(tmp_path, text):
    (tmp_path / "review.json").write_text(text, encoding="utf-8")
    assert Review(tmp_path).order(ROWS)[0] == UNSURE
    assert Review(tmp_path).decision(SURE) is None


def test_names_that_are_no_text(tmp_path):
    row = replace(SURE, file="\udcff.png")
    Review(tmp_path).decide(row, "accepted")
    assert Review(tmp_path).decision(row) == "accepted"
    json.loads((tmp_path / "review.json").read_text(encoding="utf-8"))


def test_a_correction_of_another_image_is_not_shown(tmp_path):
    review = Review(tmp_path)
    review.decide(SURE, "corrected", (2, 3))
    corrected = review.corrected_path(SURE)
    assert review.labels_path(SURE) == tmp_path / SURE.outputs["labels"], "nothing was written yet"
    corrected.parent.mkdir(parents=True)
    corrected.touch()
    assert review.labels_path(SURE) == corrected
    replaced = replace(SURE, input="another photograph")
    assert review.labels_path(replaced) == tmp_path / SURE.outputs["labels"]
    review.decide(replaced, "accepted")
    assert review.labels_path(replaced) == tmp_path / SURE.outputs["labels"]


def test_who_decided_when_and_how_corrected_labels_are_called_is_kept(tmp_path):
    review = Review(tmp_path)
    review.decide(SURE, "accepted")
    review.reviewer = "B. Lange"
    review.decide(MIDDLE, "corrected", (2,), {2: "Lesion", 7: "Hair"}, 0.25)
    again = Review(tmp_path)
    assert (again.corrected_share(SURE), again.corrected_share(MIDDLE)) == (None, 0.25)
    assert (again.verdict(SURE).reviewer, again.names(SURE)) == ("", None)
    verdict = again.verdict(MIDDLE)
    assert (verdict.reviewer, again.names(MIDDLE)) == ("B. Lange", {2: "Lesion", 7: "Hair"})
    assert datetime.fromisoformat(verdict.when).tzinfo is not None
    assert again.verdict(replace(MIDDLE, input="another photograph")) is None


def test_a_review_of_the_first_version_is_read(tmp_path):
    old = {"decision": "corrected", "settings": "s", "input": "i", "foreground": [2]}
    (tmp_path / "review.json").write_text(json.dumps({"at": "", "decisions": {SURE.file: old}}), encoding="utf-8")
    review = Review(tmp_path)
    assert (review.decision(SURE), review.foreground(SURE), review.names(SURE)) == ("corrected", (2,), None)
    assert review.corrected_share(SURE) is None


def put(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def test_what_lies_among_the_corrections_counts_as_corrected(tmp_path):
    assert Review(tmp_path).corrected_kind(SURE) is None
    path = put(Review(tmp_path).corrected_path(SURE, "masks"))
    review = Review(tmp_path)
    assert [review.decision(row) for row in review.order(ROWS)] == [None, None, "corrected"]
    assert (review.corrected_kind(SURE), review.labels_path(SURE, "masks")) == ("masks", path)
    assert review.begin([SURE, MIDDLE]) == 1
    assert review.verdict(FileRow(file="none", status="done")) is None
    put(review.corrected_path(SURE))
    assert Review(tmp_path).corrected_kind(SURE) == "labels"


def test_a_correction_is_that_of_the_image_however_its_result_is_made(tmp_path):
    review = Review(tmp_path)
    for kind in ("labels", "masks"):
        put(review.corrected_path(SURE, kind))
    review.move(MIDDLE.file)
    review.take_classes(SURE, {1: "Object"}, None)
    assert Review(tmp_path).at == MIDDLE.file
    again = Review(tmp_path)
    assert (again.decision(replace(SURE, settings="other")), again.corrected_kind(SURE)) == ("corrected", "masks")
    assert again.decision(replace(SURE, input="another photograph")) is None
    assert again.corrected_kind(replace(SURE, input="another photograph")) is None
    again.decide(SURE, "accepted")
    assert Review(tmp_path).decision(SURE) == "corrected"
    again.decide(SURE, "rejected")
    assert Review(tmp_path).corrected_kind(SURE) is None


def test_two_who_decide_do_not_take_each_other_s_decisions_away(tmp_path):
    one, other = Review(tmp_path), Review(tmp_path)
    one.decide(SURE, "accepted")
    other.decide(MIDDLE, "rejected")
    one.move(UNSURE.file)
    again = Review(tmp_path)
    assert [again.decision(row) for row in (SURE, MIDDLE, UNSURE)] == ["accepted", "rejected", None]
    assert one.decision(MIDDLE) == "rejected"
