"""Colours and scales between our words and those of brands. Pure arithmetic.

Ours: brightness in percent, reported whole; colour temperature in kelvin; rgb as three whole
numbers 0-255 at full brightness. Rounding is half up, everywhere. A lamp that is lit is never
shown as 0 %, and one that is asked for more than 0 % never gets 0.
"""

from collections.abc import Sequence
from math import floor

Rgb = list[int]

WHITE_POINT = (0.3227, 0.3290)
_STEP_RGB = 6  # hue and saturation are sent in whole steps
_STEP_XY = 0.004  # chromaticities with four digits


def half_up(value: float) -> int:
    """The nearest whole number; of two, the greater."""
    return floor(value + 0.5)


def to_scale(percent: float, top: int) -> int:
    """Percent as 0..top, clamped; above 0 % at least 1."""
    raw = half_up(min(max(percent, 0), 100) * top / 100)
    return max(raw, 1) if percent > 0 else 0


def from_scale(raw: float, top: int) -> int:
    """0..top as whole percent, clamped; above 0 at least 1 %."""
    percent = half_up(min(max(raw, 0), top) * 100 / top)
    return max(percent, 1) if raw > 0 else 0


def mireds(kelvin: float) -> int:
    """Kelvin as whole mireds."""
    return half_up(1_000_000 / kelvin)


def kelvin(mired: float) -> int:
    """Mireds as whole kelvin; `mired` > 0."""
    return half_up(1_000_000 / mired)


def hs_of(rgb: Sequence[int]) -> tuple[float, float]:
    """Hue in degrees [0, 360) and saturation in percent."""
    r, g, b = (part / 255 for part in rgb)
    high, low = max(r, g, b), min(r, g, b)
    span = high - low
    if span == 0:
        return 0.0, 0.0
    if high == r:
        hue = ((g - b) / span) % 6
    elif high == g:
        hue = (b - r) / span + 2
    else:
        hue = (r - g) / span + 4
    return hue * 60, span / high * 100


def rgb_of_hs(hue: float, saturation: float) -> Rgb:
    """The colour at full brightness; hue in degrees, saturation in percent, both clamped."""
    sector = (hue % 360) / 60
    chroma = min(max(saturation, 0), 100) / 100
    second = chroma * (1 - abs(sector % 2 - 1))
    parts = (
        (chroma, second, 0.0),
        (second, chroma, 0.0),
        (0.0, chroma, second),
        (0.0, second, chroma),
        (second, 0.0, chroma),
        (chroma, 0.0, second),
    )[int(sector)]
    return [half_up((part + 1 - chroma) * 255) for part in parts]


def xy_of(rgb: Sequence[int]) -> tuple[float, float]:
    """CIE 1931 chromaticity, four digits, by the wide gamut that lamps use; black: of white."""
    r, g, b = (_linear(part / 255) for part in rgb)
    x = r * 0.664511 + g * 0.154324 + b * 0.162028
    y = r * 0.283881 + g * 0.668433 + b * 0.047685
    z = r * 0.000088 + g * 0.072310 + b * 0.986039
    total = x + y + z
    return (round(x / total, 4), round(y / total, 4)) if total else WHITE_POINT


def rgb_of_xy(x: float, y: float) -> Rgb:
    """The colour at full brightness nearest to a chromaticity; x, y in [0, 1]."""
    y = max(y, 1e-6)
    big_x, big_z = x / y, (1 - x - y) / y
    linear = (
        big_x * 1.656492 - 0.354851 - big_z * 0.255038,
        -big_x * 0.707196 + 1.655397 + big_z * 0.036152,
        big_x * 0.051713 - 0.121364 + big_z * 1.011530,
    )
    inside = [max(part, 0.0) for part in linear]
    high = max(inside)
    return [half_up(_gamma(part / high) * 255) for part in inside] if high else [255, 255, 255]


def bright(rgb: Sequence[int]) -> Rgb:
    """The same colour at full brightness; black stays black."""
    high = max(rgb)
    return [half_up(part * 255 / high) for part in rgb] if high else [0, 0, 0]


def is_near(one: Sequence[int], other: Sequence[int]) -> bool:
    """Whether two colours are one within a lamp's steps, at any brightness."""
    pairs = zip(bright(one), bright(other), strict=True)
    if all(abs(a - b) <= _STEP_RGB for a, b in pairs):
        return True
    chromaticities = zip(xy_of(one), xy_of(other), strict=True)
    return any(one) and any(other) and all(abs(a - b) <= _STEP_XY for a, b in chromaticities)


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)


def _gamma(part: float) -> float:
    return part * 12.92 if part <= 0.0031308 else float(1.055 * part ** (1 / 2.4) - 0.055)
