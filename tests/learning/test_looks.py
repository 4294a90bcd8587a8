"""Which looks learning takes, and in how many steps."""

import pytest

from napari_s3net.learning.looks import FEWEST_UNLABELLED, plan_looks
from napari_s3net.learning.settings import learn_settings
from tests.learning.conftest import TINY
from tests.learning.test_closer import hearts

MANY = FEWEST_UNLABELLED


@pytest.mark.parametrize(
    ("unlabelled", "changes", "steps"),
    [
        (MANY, {}, [10, 10, 6, 6]),
        (MANY - 1, {}, [10, 10]),
        (MANY, {"second_round": False}, [10, 10]),
        (MANY, {"look_closer": False}, [10]),
        (MANY, {"steps": 1}, [1, 1, 1, 1]),
    ],
)
def test_there_is_a_second_round_where_enough_volumes_have_no_labels(unlabelled, changes, steps):
    looks = plan_looks(hearts(2, unlabelled=unlabelled), learn_settings(**{**TINY, "steps": 10, **changes}))
    assert [look.steps for look in looks] == steps
    assert [look.before for look in looks] == [sum(steps[:n]) for n in range(len(steps))]
    assert {look.total for look in looks} == {sum(steps)}
    assert [look.is_last for look in looks] == [False] * (len(steps) - 1) + [True]


def test_each_round_looks_and_looks_closer():
    looks = plan_looks(hearts(2, unlabelled=MANY), learn_settings(**TINY))
    assert [look.is_closer for look in looks] == [False, True] * 2
    assert [look.is_second_round for look in looks] == [False, False, True, True]
    assert looks[1].name != looks[2].name == looks[3].name
