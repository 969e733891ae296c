"""Which steps charts show, as they are zoomed and moved."""

import pytest

from tui_trainer.ui.charts.viewport import LEAST_SPAN, Extent, Viewport, with_room

RUN = Extent(0, 1_000)


def test_at_first_all_steps_are_shown_and_followed() -> None:
    viewport = Viewport()
    assert viewport.follows and viewport.shows_all
    assert viewport.window(RUN) == (0, 1_000)
    assert viewport.window(Extent(0, 2_000)) == (0, 2_000)


def test_before_the_first_step_the_window_is_a_step_wide() -> None:
    assert Viewport().window(Extent(0, 0)) == (0, 1)


def test_zooming_in_keeps_the_newest_step_and_follows_it() -> None:
    zoomed = Viewport().zoomed(RUN, 0.5).zoomed(RUN, 0.5)
    assert zoomed.window(RUN) == (750, 1_000)
    assert zoomed.window(Extent(0, 1_100)) == (850, 1_100)


def test_zooming_around_a_step_keeps_its_place() -> None:
    zoomed = Viewport().zoomed(RUN, 0.5, around=200)
    assert zoomed.window(RUN) == (100, 600)
    assert zoomed.window(Extent(0, 5_000)) == (100, 600) and not zoomed.follows


def test_zooming_reaches_a_single_step_and_comes_back() -> None:
    extent, viewport = Extent(0, 1_000_000), Viewport()
    for _ in range(25):
        viewport = viewport.zoomed(extent, 0.5, around=123_456)
        start, end = viewport.window(extent)
        assert start <= 123_456 <= end
    assert end - start == LEAST_SPAN
    for _ in range(25):
        viewport = viewport.zoomed(extent, 2, around=123_456)
    assert viewport.window(extent) == (0, 1_000_000)


@pytest.mark.parametrize("part", [-0.25, 0.25])
def test_panning_stops_at_the_ends(part: float) -> None:
    viewport = Viewport().zoomed(RUN, 0.25, around=500)
    for _ in range(20):
        viewport = viewport.panned(RUN, part)
        start, end = viewport.window(RUN)
        assert end - start == 250 and RUN.first <= start and end <= RUN.last
    assert (start, end) == ((0, 250) if part < 0 else (750, 1_000))


def test_what_follows_is_panned_back_alone() -> None:
    viewport = Viewport(span=100)
    assert viewport.panned(RUN, 0.25) == viewport
    assert viewport.panned(RUN, -0.25).window(RUN) == (875, 975)


def test_to_the_start_and_to_the_end() -> None:
    viewport = Viewport(span=100, end=600)
    assert viewport.at_start(RUN).window(RUN) == (0, 100)
    assert viewport.at_end(RUN).window(Extent(0, 1_500)) == (1_400, 1_500)


def test_frozen_charts_stay() -> None:
    assert Viewport().frozen(RUN).window(Extent(0, 1_500)) == (0, 1_000)


@pytest.mark.parametrize(("step", "window"), [(150, (100, 200)), (50, (50, 150)), (250, (150, 250))])
def test_the_window_goes_with_the_cursor(step: float, window: tuple[float, float]) -> None:
    assert Viewport(span=100, end=200).containing(RUN, step).window(RUN) == window


def test_a_window_is_kept_within_a_run_that_went_back() -> None:
    assert Viewport(span=100, end=900).window(Extent(0, 300)) == (200, 300)


def test_there_is_room_for_new_steps_but_not_beyond_the_planned_ones() -> None:
    assert with_room(0, 1_030, 5_000) == 1_152
    assert {with_room(0, end, 5_000) for end in range(1_025, 1_153)} == {1_152}
    assert with_room(0, 1_030, 1_100) == 1_100
