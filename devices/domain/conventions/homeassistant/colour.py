"""Colours, from one notation into another; the wide gamut that Philips Hue publishes."""

import colorsys
from collections.abc import Sequence

Rgb = tuple[int, int, int]
MIREDS = 1_000_000


def kelvin(mireds: float) -> int:
    """A colour temperature in kelvin, rounded down."""
    return int(MIREDS / mireds)


def mireds(cct: float) -> int:
    """A colour temperature in mireds, rounded down."""
    return int(MIREDS / cct)


def scaled(rgb: Sequence[float], factor: float) -> Rgb:
    """Each part times the factor, at most 255."""
    red, green, blue = (min(255, max(0, round(part * factor))) for part in rgb[:3])
    return red, green, blue


def full(rgb: Sequence[int]) -> Rgb:
    """The same colour as bright as can be; black stays black."""
    most = max(*rgb, 1)
    red, green, blue = (round(part * 255 / most) for part in rgb[:3])
    return red, green, blue


def hs_of(rgb: Sequence[int]) -> tuple[float, float]:
    """Hue 0–360 and saturation 0–100."""
    hue, saturation, _ = colorsys.rgb_to_hsv(*(part / 255 for part in rgb))
    return round(hue * 360, 3), round(saturation * 100, 3)


def of_hs(hue: float, saturation: float) -> Rgb:
    """At full brightness."""
    return scaled(colorsys.hsv_to_rgb(hue / 360, saturation / 100, 1), 255)


def xy_of(rgb: Sequence[int]) -> tuple[float, float]:
    """The point in the CIE 1931 diagram."""
    red, green, blue = (_linear(part / 255) for part in rgb)
    x = red * 0.664511 + green * 0.154324 + blue * 0.162028
    y = red * 0.283881 + green * 0.668433 + blue * 0.047685
    z = red * 0.000088 + green * 0.072310 + blue * 0.986039
    total = x + y + z
    return (round(x / total, 3), round(y / total, 3)) if total else (0.0, 0.0)


def of_xy(x: float, y: float) -> Rgb:
    """At full brightness."""
    y = y or 1e-11
    wide_x, wide_z = x / y, (1 - x - y) / y
    red = wide_x * 1.656492 - 0.354851 - wide_z * 0.255038
    green = -wide_x * 0.707196 + 1.655397 + wide_z * 0.036152
    blue = wide_x * 0.051713 - 0.121364 + wide_z * 1.011530
    parts = [max(0.0, _gamma(part)) for part in (red, green, blue)]
    most = max(*parts, 1.0)
    first, second, third = (int(part / most * 255) for part in parts)
    return first, second, third


def _linear(part: float) -> float:
    return ((part + 0.055) / 1.055) ** 2.4 if part > 0.04045 else part / 12.92


def _gamma(part: float) -> float:
    return 12.92 * part if part <= 0.0031308 else 1.055 * part ** (1 / 2.4) - 0.055


def of_rgbw(parts: Sequence[int]) -> Rgb:
    """Red, green, blue and white, seen as one colour as bright as its brightest part."""
    red, green, blue, white = parts
    return _mixed((red + white, green + white, blue + white), max(parts))


def of_rgbww(parts: Sequence[int]) -> Rgb:
    """Red, green, blue, cold and warm white, seen as one colour."""
    red, green, blue, cold, warm = parts
    mixed = (red + cold + warm, green + cold + warm * 0.82, blue + cold + warm * 0.59)
    return _mixed(mixed, max(parts))


def rgbw_of(rgb: Sequence[int]) -> tuple[int, int, int, int]:
    """The grey share by the white part."""
    white = min(rgb)
    rest = scaled([part - white for part in rgb], 1)
    most = max(*rest, white)
    factor = max(rgb) / most if most else 0
    red, green, blue = scaled(rest, factor)
    return red, green, blue, min(255, round(white * factor))


def rgbww_of(rgb: Sequence[int]) -> tuple[int, int, int, int, int]:
    """The grey share by both whites alike."""
    red, green, blue, white = rgbw_of(rgb)
    return red, green, blue, white, white


def _mixed(parts: Sequence[float], brightest: int) -> Rgb:
    most = max(parts)
    return scaled(parts, brightest / most if most else 0)
