"""Scales and colours: worked examples, then what must hold for all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.domain.conventions import colour

PART = st.integers(0, 255)
RGB = st.tuples(PART, PART, PART).filter(any)


@pytest.mark.parametrize(
    ("percent", "top", "raw"),
    [(0, 254, 0), (0.1, 254, 1), (50, 254, 127), (80, 254, 203), (100, 254, 254), (200, 255, 255)],
)
def test_percent_becomes_a_step_of_the_brand(percent: float, top: int, raw: int) -> None:
    assert colour.to_scale(percent, top) == raw


@pytest.mark.parametrize(
    ("raw", "top", "percent"), [(0, 255, 0), (1, 255, 1), (128, 255, 50), (300, 255, 100)]
)
def test_a_step_of_the_brand_becomes_whole_percent(raw: int, top: int, percent: int) -> None:
    assert colour.from_scale(raw, top) == percent


@given(st.integers(0, 100), st.sampled_from([100, 254, 255]))
def test_whole_percent_comes_back_as_it_went(percent: int, top: int) -> None:
    assert colour.from_scale(colour.to_scale(percent, top), top) == percent


def test_a_colour_has_the_chromaticity_that_zigbee2mqtt_gives_it() -> None:
    assert colour.xy_of([46, 102, 150]) == (0.1729, 0.2181)
    assert colour.xy_of([255, 0, 0]) == (0.7006, 0.2993)
    assert colour.rgb_of_xy(0.7006, 0.2993) == [255, 0, 0]


def test_hue_and_saturation_are_those_of_the_colour_wheel() -> None:
    assert colour.hs_of([128, 64, 32]) == (20, 75)
    assert colour.rgb_of_hs(30, 100) == [255, 128, 0]
    assert colour.rgb_of_hs(360, 100) == [255, 0, 0]


@given(RGB)
def test_a_colour_is_known_again_after_either_detour(rgb: tuple[int, int, int]) -> None:
    hue, saturation = colour.hs_of(rgb)

    assert colour.is_near(rgb, colour.rgb_of_xy(*colour.xy_of(rgb)))
    assert colour.is_near(rgb, colour.rgb_of_hs(colour.half_up(hue), colour.half_up(saturation)))


@given(st.integers(1500, 10_000))
def test_kelvin_in_mireds_are_within_one_step(kelvin: int) -> None:
    mired = colour.mireds(kelvin)

    assert abs(colour.mireds(colour.kelvin(mired)) - mired) <= 1


def test_other_colours_are_other_colours() -> None:
    assert not colour.is_near([255, 0, 0], [0, 255, 0])
    assert not colour.is_near([255, 255, 255], [255, 200, 150])
    assert not colour.is_near([0, 0, 0], [255, 255, 255])
