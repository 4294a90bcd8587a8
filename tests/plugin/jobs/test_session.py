import pytest

from napari_s3net.plugin.jobs.session import Phase, Screen, screen_of


@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize("has_result", [True, False])
def test_a_phase_never_offers_what_it_cannot_do(phase, has_result):
    screen = screen_of(phase, has_result=has_result)
    assert not (screen.can_run and screen.progress)
    assert screen.results == (has_result and phase is not Phase.NO_IMAGE)
    assert not (screen.welcome and screen.can_run)
    assert not screen.can_stop or screen.can_cancel
    assert screen.progress == phase.is_busy


@pytest.mark.parametrize(
    ("phase", "screen"),
    [
        (Phase.NO_IMAGE, Screen(True, False, False, False, False, False, False)),
        (Phase.READY, Screen(False, True, False, False, False, False, True)),
        (Phase.PREPARING, Screen(False, False, True, True, False, True, True)),
        (Phase.RUNNING, Screen(False, False, True, False, True, True, True)),
        (Phase.STOPPING, Screen(False, False, True, True, False, False, True)),
        (Phase.DONE, Screen(False, True, False, False, False, False, True)),
        (Phase.STOPPED, Screen(False, True, False, False, False, False, True)),
        (Phase.FAILED, Screen(False, True, False, False, False, False, True)),
    ],
)
def test_what_is_shown_in_each_phase(phase, screen):
    assert screen_of(phase, has_result=True) == screen


def test_every_way_to_end_is_open_while_something_goes_on():
    for phase in (Phase.PREPARING, Phase.RUNNING):
        assert screen_of(phase, has_result=False).can_cancel
