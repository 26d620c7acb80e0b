"""What all brands need to be told of a light: one wish, unambiguous, in absolute values.

- Off wins: a wish with `power: false` sends only that (and the fade); the rest is neither sent nor
  awaited, for brands turn on when they are given a brightness.
- A lamp that is known to be off takes brightness and colour only together with `power: true`,
  where the brand would turn it on unasked: a wish that never spoke of power must not light a room.
- `brightness: 0` is off.
- `mode` chooses between `cct`, `rgb` and `white`; alone it recalls the value last reported.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

from base_ops.core.errors import FieldFault
from devices.domain.capabilities import (
    BadState,
    Choice,
    Flag,
    NotControllable,
    Number,
    Rgb,
    Rule,
    Table,
)
from devices.domain.conventions import colour
from devices.domain.conventions.convention import Memory
from devices.domain.conventions.journal import Close

FADE = Number(0, 60_000, "ms", whole=True)
PARTS = ("power", "mode", "brightness", "white", "cct", "rgb", "effect", "fade_ms")


@dataclass(frozen=True, slots=True)
class Wish:
    """What one light shall be; None where nothing is asked."""

    power: bool | None = None
    brightness: float | None = None
    white: float | None = None
    cct: float | None = None
    rgb: list[int] | None = None
    effect: Any = None
    fade_ms: int | None = None

    @property
    def shines(self) -> bool:
        """Whether it says more than on or off."""
        return (self.brightness, self.white, self.cct, self.rgb, self.effect) != (None,) * 5


def check(state: Mapping[str, Any], table: Table) -> None:
    """Refuse what a device cannot be told.

    Raises:
        NotControllable: it is only read.
        BadState: empty, or with every faulty field and its reason.
    """
    if not table:
        raise NotControllable("the device is only read")
    if not state:
        raise BadState("the state is empty")
    faults = []
    for key, value in state.items():
        if (rule := table.get(key)) is None:
            known = ", ".join(table)
            faults.append(FieldFault(key, f"没有此项;可用:{known}", f"not known; it has {known}"))
        elif reason := rule.fault(value):
            faults.append(FieldFault(key, *reason))
    if faults:
        raise BadState(fields=faults)


def refuse(key: str, zh: str, en: str) -> BadState:
    """The refusal of one field."""
    return BadState(fields=[FieldFault(key, zh, en)])


def wish(
    state: Mapping[str, Any],
    reported: Mapping[str, Any],
    *,
    prefix: str = "",
    wakes: bool,
    blends: bool = False,
) -> Wish:
    """What a checked state asks of the light whose keys begin with `prefix`.

    Args:
        wakes: the brand turns on when it is given a brightness or a colour.
        blends: its white and its colours shine at once, and say so apart.

    Raises:
        BadState: it contradicts itself, asks for nothing, or would light a lamp unasked.
    """
    own = {part: state[key] for part in PARTS if (key := prefix + part) in state}
    power, level = own.get("power"), own.get("brightness")
    if power is False or (power is None and level == 0):
        return Wish(power=False, fade_ms=own.get("fade_ms"))
    if level == 0:
        raise refuse(prefix + "brightness", "开灯时亮度不能为 0", "0 % and power: true contradict")
    own |= own if blends else _shade(own, reported, prefix)
    found = Wish(**{part: own.get(part) for part in PARTS if part != "mode"})
    if found.rgb is not None and not any(found.rgb):
        raise refuse(
            prefix + "rgb", "黑色不是颜色;请关灯", "black is no colour: ask for power: false"
        )
    if found.power is None and not found.shines:
        raise refuse(prefix + "fade_ms", "没有要改变的内容", "there is nothing to change")
    if wakes and found.shines and power is None and reported.get(prefix + "power") is False:
        raise refuse(prefix + "power", "灯已关,请同时开灯", "it is off: ask for power: true too")
    return found


def _shade(own: Mapping[str, Any], reported: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """The one colour that is meant; white is its own brightness."""
    meant = _colour(own, reported, prefix)
    found: dict[str, Any] = {"cct": None, "rgb": None, "white": None, **meant}
    if "white" in meant:
        if own.get("brightness") not in (None, meant["white"]):
            raise refuse(prefix + "white", "与亮度不一致", "in white it is the brightness as well")
        found["brightness"] = None
    return found


def _colour(own: Mapping[str, Any], reported: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """The one of `cct`, `rgb` and `white` that is meant, if any."""
    mode = own.get("mode")
    given = {part: own[part] for part in ("cct", "rgb", "white") if part in own}
    if mode is None and len(given) > 1:
        raise refuse(prefix + "mode", "请指明模式", f"{' and '.join(given)}: which mode is meant?")
    if mode == "white" and "white" not in given and "brightness" in own:
        given["white"] = own["brightness"]
    if mode in ("cct", "rgb", "white"):
        value = given.get(mode, reported.get(prefix + mode))
        if value is None:
            raise refuse(prefix + mode, "缺少此项", f"mode {mode} needs it")
        given = {mode: value}
    return given


def near(key: str, asked: object, reported: object) -> bool:
    """Whether a light that reports this obeys what was asked, within its steps."""
    part = key.rpartition(".")[2]
    if part == "rgb" and isinstance(asked, list) and isinstance(reported, list):
        return colour.is_near(asked, reported)
    if not _is_number(asked) or not _is_number(reported):
        return asked == reported
    if part == "cct":
        return abs(colour.mireds(asked) - colour.mireds(reported)) <= 1
    # half a step of ours, and of 0-254
    return abs(asked - reported) <= (0.75 if part in ("brightness", "white") else 1e-9)


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def awaited(state: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a wish whose effect can be waited for: what off leaves out is not, nor fades."""
    off: Mapping[str, object] = {"power": False, "brightness": 0}
    dark = {
        prefix
        for prefix, part, value in ((*_split(key), value) for key, value in state.items())
        if part in off and value == off[part] and state.get(prefix + "power") is not True
    }
    out: dict[str, Any] = {}
    for key, value in state.items():
        prefix, part = _split(key)
        if part == "fade_ms":
            continue
        if prefix in dark and part in PARTS:
            out[prefix + "power"] = False
        else:
            out[key] = value
    return out


def _split(key: str) -> tuple[str, str]:
    prefix, dot, part = key.rpartition(".")
    return prefix + dot, part


def observed(
    memory: Memory, awaited: Mapping[str, Any], *, near: Close, silent: Iterable[str] = ()
) -> bool | None:
    """Whether the device reports what was asked; None when nothing of it is ever reported."""
    unseen = frozenset(silent)
    wanted = {k: v for k, v in awaited.items() if k not in unseen}
    if not wanted:
        return None
    reported = memory["state"]
    return memory["online"] is True and all(
        key in reported and near(key, value, reported[key]) for key, value in wanted.items()
    )


def table(
    *,
    prefix: str = "",
    brightness: bool = False,
    cct: tuple[int, int] | None = None,
    rgb: bool = False,
    fade: bool = False,
) -> Table:
    """The capabilities of a light; `cct` in kelvin."""
    found: dict[str, Rule] = {"power": Flag()}
    if brightness:
        found["brightness"] = Number(0, 100, "%")
    modes = [name for name, has in (("cct", cct is not None), ("rgb", rgb)) if has]
    if modes:
        found["mode"] = Choice(tuple(modes))
    if cct is not None:
        found["cct"] = Number(*cct, "K", whole=True)
    if rgb:
        found["rgb"] = Rgb()
    if fade:
        found["fade_ms"] = FADE
    return {prefix + part: rule for part, rule in found.items()}
