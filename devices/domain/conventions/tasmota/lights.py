"""What a Tasmota light reports and is told.

It is told by one Backlog, so that its steps are carried out together; each step is preceded by
NoDelay. A light of four channels shines either in colour or by its white channel (`white`), and
its brightness is then that of the channel; one of five mixes, and White above 0 means `cct`.
"""

from collections.abc import Mapping
from typing import Any

from devices.domain.capabilities import Choice, Number, Rule, Table
from devices.domain.conventions import colour, lamp
from devices.domain.conventions.journal import Journal
from devices.domain.conventions.reading import number, numeral
from devices.domain.conventions.tasmota.config import CT, RGB, RGBCW, RGBW, Config, Light

EFFECTS = ("Solid", "Wake up", "Cycle up", "Cycle down", "Random")
_MAX_SPEED = 40  # half seconds


def table(light: Light, config: Config) -> Table:
    """What it may be told."""
    low, high = config.mireds
    found: dict[str, Rule] = dict(
        lamp.table(
            prefix=light.prefix,
            brightness=light.shape > 0,
            cct=(colour.kelvin(high), colour.kelvin(low)) if light.shape in (CT, RGBCW) else None,
            rgb=light.shape >= RGB,
            fade=light.shape > 0 and not config.tuya,
        )
    )
    if light.shape == RGBW:
        found[f"{light.prefix}mode"] = Choice(("rgb", "white"))
        found[f"{light.prefix}white"] = Number(0, 100, "%")
    if light.shape > 0:
        found[f"{light.prefix}effect"] = Choice(EFFECTS)
    return found


def reported(journal: Journal, light: Light, said: Mapping[str, Any]) -> dict[str, Any]:
    """What a message says of it, power apart."""
    if not light.shape:
        return {}
    dimmer = _percent(journal, said, light.dimmer_state)
    white = _percent(journal, said, "White") if light.shape >= RGBW else None
    report = _levels(light, dimmer, white) | _shade(journal, light, said)
    if report.get("mode") == "cct":
        report["rgb"] = None
    elif report.get("mode") == "rgb":
        report["cct"] = None
    scheme = said.get("Scheme")
    if isinstance(scheme, int) and not isinstance(scheme, bool) and 0 <= scheme < len(EFFECTS):
        report["effect"] = EFFECTS[scheme]
    return {light.prefix + part: value for part, value in report.items()}


def _levels(light: Light, dimmer: int | None, white: int | None) -> dict[str, Any]:
    """Brightness, and which of its channels shine."""
    report: dict[str, Any] = {} if dimmer is None else {"brightness": dimmer}
    match light.shape, white:
        case 4, int():
            report |= {"white": white, "mode": "white" if white else "rgb"}
            if white:
                report["brightness"] = white
        case 5, int():
            report["mode"] = "cct" if white else "rgb"
        case 2, _:
            report["mode"] = "cct"
        case _:
            pass
    return report


def _shade(journal: Journal, light: Light, said: Mapping[str, Any]) -> dict[str, Any]:
    report: dict[str, Any] = {}
    if light.shape >= RGB and "HSBColor" in said:
        value = said["HSBColor"]
        parts = [numeral(p) for p in value.split(",")] if isinstance(value, str) else []
        match parts:
            case [float(hue), float(saturation), float(_)] if (
                0 <= hue <= 360 and 0 <= saturation <= 100
            ):
                report["rgb"] = colour.rgb_of_hs(hue, saturation)
                if light.shape == RGB:
                    report["mode"] = "rgb"
            case _:
                journal.fault("HSBColor", "bad-value", "not hue, saturation, brightness")
    if light.shape in (CT, RGBCW) and "CT" in said:
        mired = number(said["CT"])
        if mired is None or not 1 <= mired <= 65535:
            journal.fault("CT", "bad-value", "no colour temperature in mireds")
        else:
            report["cct"] = colour.kelvin(mired)
    return report


def _percent(journal: Journal, said: Mapping[str, Any], key: str) -> int | None:
    if key not in said:
        return None
    value = number(said[key])
    if value is None or not 0 <= value <= 100:
        journal.fault(key, "bad-value", "must be 0 to 100")
        return None
    return colour.half_up(value)


def steps(light: Light, config: Config, state: Mapping[str, Any], known: Mapping[str, Any]) -> str:
    """The Backlog that carries out a wish.

    Raises:
        BadState: the wish contradicts itself, or would light a lamp unasked.
    """
    wish = lamp.wish(state, known, prefix=light.prefix, wakes=not config.free_power)
    found = _fade(light, config, wish, known)
    power = f"Power{light.index} {config.off if wish.power is False else config.on}"
    if wish.brightness is not None:
        found.append(f"{light.dimmer_command} {colour.to_scale(wish.brightness, 100)}")
    elif wish.power is not None:
        found.append(power)
    if wish.rgb is not None:
        hue, saturation = colour.hs_of(wish.rgb)
        found += [
            f"HsbColor1 {colour.half_up(hue) % 360}",
            f"HsbColor2 {colour.half_up(saturation)}",
        ]
    if wish.cct is not None:
        low, high = config.mireds
        found.append(f"CT {min(max(colour.mireds(wish.cct), low), high)}")
    if wish.effect is not None:
        found.append(f"Scheme {EFFECTS.index(wish.effect)}")
    if wish.white is not None:
        found.append(f"White {colour.to_scale(wish.white, 100)}")
    if config.free_power and wish.brightness is not None and wish.power is not None:
        found.append(power)
    return ";".join(f"NoDelay;{step}" for step in found)


def _fade(light: Light, config: Config, wish: lamp.Wish, known: Mapping[str, Any]) -> list[str]:
    """Fade for this command only. Speed is half seconds per full way, unless it is fixed (117)."""
    if wish.fade_ms is None:
        return []
    if wish.fade_ms == 0:
        return ["Fade2 0"]
    way = 1.0
    if not config.fixed_fade:
        level = known.get(f"{light.prefix}brightness", 100)
        before = level if known.get(f"{light.prefix}power") else 0
        after = 0 if wish.power is False else level if wish.brightness is None else wish.brightness
        way = abs(after - before) / 100 or 1.0
    speed = colour.half_up(wish.fade_ms / 500 / way)
    return ["Fade2 1", f"Speed2 {min(max(speed, 1), _MAX_SPEED)}"]
