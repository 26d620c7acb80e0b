"""The gateway's configuration: which gear there is, where, with which limits and secrets.

TOML. A secret never stands in it: `{ env = "NAME" }` or `{ file = "/run/secrets/name" }` says
where it is. Every fault is named with its field, all of them at once; no value is printed.
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from devices.domain import capabilities
from devices.domain.gear import artnet, dmx, obs, sacn, visca, visca_ip

MAX_GEAR = 1000
Port = Annotated[int, Field(ge=1, le=65535)]
_LABEL = r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
Host = Annotated[
    str,
    Field(max_length=253, pattern=rf"^({_LABEL}(\.{_LABEL})*\.?|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)$"),
]
Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]


class BadConfig(Exception):
    """The file says something that we cannot work by; one line for each fault."""


class Part(BaseModel):
    """Unknown keys are faults: a misspelt limit must not be no limit."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def _secret(value: object, environment: Mapping[str, str]) -> str:
    """What a reference to a secret refers to.

    Raises:
        ValueError: it is none, or leads nowhere.
    """
    match value:
        case {"env": str(name), **rest} if not rest:
            if not (found := environment.get(name)):
                raise ValueError(f"the environment has no {name}")
            return found
        case {"file": str(name), **rest} if not rest:
            try:
                return Path(name).read_text(encoding="utf-8").rstrip("\r\n")
            except OSError as exc:
                raise ValueError(f"{name}: {exc.strerror}") from exc
        case _:
            raise ValueError('say where it is: { env = "NAME" } or { file = "/path" }')


def _resolve(value: object, info: ValidationInfo) -> object:
    """A default stays; anything else is a reference."""
    if isinstance(value, SecretStr):
        return value
    return SecretStr(_secret(value, (info.context or {})["environment"]))


class TargetPart(Part):
    """A stream target."""

    url: str = Field(pattern=r"^rtmps?://\S+$")
    key: SecretStr

    _key = field_validator("key", mode="before")(_resolve)


class Gear(Part):
    """What all gear has."""

    code: Code
    kind: str
    model: str
    poll_s: float = Field(default=2.0, ge=0.1, le=20.0)
    observe_s: float = Field(default=20.0, ge=0.5, le=120.0)
    limits: dict[str, tuple[float, float]] = Field(default_factory=dict)
    mqtt_password: SecretStr = SecretStr("")

    _mqtt_password = field_validator("mqtt_password", mode="before")(_resolve)

    @field_validator("limits")
    @classmethod
    def _ordered(cls, value: dict[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
        for key, (low, high) in value.items():
            if low > high:
                raise ValueError(f"{key}: [lowest, highest]")
        return value

    @model_validator(mode="after")
    def _known(self) -> Self:
        table = capabilities.table(kind=self.kind, model=self.model)
        if not table:
            raise ValueError(f"{self.model or self.kind} takes no commands: a mistake in model?")
        if unknown := self.limits.keys() - table.keys():
            raise ValueError(f"limits: {', '.join(sorted(unknown))} is nothing of {self.model}")
        return self

    @property
    def bounds(self) -> Mapping[str, tuple[float, float]]:
        """Narrower limits than those of its model."""
        return self.limits


class ViscaGear(Gear):
    """A PTZ camera by VISCA."""

    driver: Literal["visca"]
    kind: Literal["camera"] = "camera"
    host: Host
    transport: Literal["udp", "tcp"] = "udp"
    port: Port = visca_ip.PORT
    timeout_s: float = Field(default=1.0, ge=0.05, le=10.0)
    pan_steps_per_deg: float = Field(default=14.4, gt=0, le=200)
    tilt_steps_per_deg: float = Field(default=14.4, gt=0, le=200)
    zoom_tele: int = Field(default=visca.ZOOM_TELE, ge=1, le=0xFFFF)
    pan_speed: int = Field(default=visca.MAX_PAN_SPEED, ge=1, le=visca.MAX_PAN_SPEED)
    tilt_speed: int = Field(default=visca.MAX_TILT_SPEED, ge=1, le=visca.MAX_TILT_SPEED)
    privacy: Literal["mute", "standby"] = "mute"
    tally: bool = True
    presets: dict[Annotated[str, Field(min_length=1, max_length=32)], int] = Field(
        default_factory=dict
    )

    @field_validator("presets")
    @classmethod
    def _numbers(cls, value: dict[str, int]) -> dict[str, int]:
        if any(not 0 <= number <= 254 for number in value.values()):
            raise ValueError("a preset is a number 0–254")
        return value


class ObsGear(Gear):
    """OBS Studio."""

    driver: Literal["obs"]
    kind: Literal["encoder"] = "encoder"
    host: Host
    port: Port = obs.PORT
    tls: bool = False
    password: SecretStr = SecretStr("")
    timeout_s: float = Field(default=3.0, ge=0.05, le=30.0)

    _password = field_validator("password", mode="before")(_resolve)

    @property
    def url(self) -> str:
        """For a WebSocket client."""
        return f"{'wss' if self.tls else 'ws'}://{_bracketed(self.host)}:{self.port}"


class MagewellGear(Gear):
    """A Magewell Ultra Encode."""

    driver: Literal["magewell"]
    kind: Literal["encoder"] = "encoder"
    host: Host
    port: Port = 80
    tls: bool = False
    user: str = Field(default="Admin", min_length=1)
    password: SecretStr
    server: int = Field(default=0, ge=0, le=1000)
    timeout_s: float = Field(default=3.0, ge=0.05, le=30.0)

    _password = field_validator("password", mode="before")(_resolve)

    @property
    def url(self) -> str:
        """For an HTTP client."""
        return f"{'https' if self.tls else 'http'}://{_bracketed(self.host)}:{self.port}"


class _DmxGear(Gear):
    """A fixture on a universe."""

    kind: Literal["light"] = "light"
    address: int = Field(ge=1, le=dmx.SLOTS)
    channels: tuple[dmx.Channel, ...] = Field(min_length=1, max_length=64)
    cct_k: tuple[int, int] = (3200, 5600)
    on_stop: Literal["hold", "off"] = "hold"

    @model_validator(mode="after")
    def _fits(self) -> Self:
        _ = self.fixture
        return self

    @property
    def fixture(self) -> dmx.Fixture:
        """As the pure rules take it.

        Raises:
            ValueError: it does not fit.
        """
        return dmx.Fixture(self.address, self.channels, self.cct_k)


class ArtnetGear(_DmxGear):
    """By Art-Net."""

    driver: Literal["artnet"]
    host: Host
    port: Port = artnet.PORT
    universe: int = Field(ge=0, le=artnet.LAST_UNIVERSE)
    polled: bool = True


class SacnGear(_DmxGear):
    """By sACN; without a host, to the group of its universe."""

    driver: Literal["sacn"]
    host: Host | Literal[""] = ""
    port: Port = sacn.PORT
    universe: int = Field(ge=1, le=sacn.LAST_UNIVERSE)
    priority: int = Field(default=sacn.DEFAULT_PRIORITY, ge=0, le=sacn.TOP_PRIORITY)


AnyGear = Annotated[
    ViscaGear | ObsGear | MagewellGear | ArtnetGear | SacnGear, Field(discriminator="driver")
]


class ArtnetPart(Part):
    """Where we listen for answers of Art-Net nodes."""

    bind: Host = "0.0.0.0"  # noqa: S104 - nodes answer to any of our addresses
    port: Port = artnet.PORT


class SacnPart(Part):
    """Who we are on sACN; the id must be our own and stay."""

    cid: UUID = UUID("6f9c2f0e-6a5e-4c0b-9a51-0f3f0f6b7c11")
    name: str = Field(default="base-ops gateway", min_length=1, max_length=63)


class Config(Part):
    """The whole file."""

    artnet: ArtnetPart = ArtnetPart()
    sacn: SacnPart = SacnPart()
    targets: dict[str, TargetPart] = Field(default_factory=dict)
    targets_dir: Path | None = None
    gear: list[AnyGear] = Field(min_length=1, max_length=MAX_GEAR)

    @model_validator(mode="after")
    def _apart(self) -> Self:
        codes = [g.code for g in self.gear]
        if twice := sorted({code for code in codes if codes.count(code) > 1}):
            raise ValueError(f"gear: {', '.join(twice)} stands there twice")
        for place, members in _universes(self.gear).items():
            if clash := dmx.overlapping([m.fixture for m in members]):
                first, second = (f.address for f in clash)
                raise ValueError(f"gear: addresses {first} and {second} overlap on {place}")
            if len({m.on_stop for m in members}) > 1:
                raise ValueError(f"gear: one on_stop for all on {place}")
            if len({m.priority for m in members if isinstance(m, SacnGear)}) > 1:
                raise ValueError(f"gear: one priority for all on {place}")
        return self


def place_of(gear: ArtnetGear | SacnGear) -> str:
    """The name of a universe on the network."""
    return f"{gear.driver} {gear.host or 'group'}:{gear.port} universe {gear.universe}"


def _universes(gear: list[AnyGear]) -> dict[str, list[ArtnetGear | SacnGear]]:
    found: dict[str, list[ArtnetGear | SacnGear]] = {}
    for one in gear:
        if isinstance(one, ArtnetGear | SacnGear):
            found.setdefault(place_of(one), []).append(one)
    return found


def read(path: Path, environment: Mapping[str, str] | None = None) -> Config:
    """The configuration in a file.

    Raises:
        BadConfig: with all that is wrong.
    """
    try:
        body = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise BadConfig(f"{path}: {exc.strerror}") from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise BadConfig(f"{path}: no TOML: {exc}") from exc
    return parse(body, os.environ if environment is None else environment)


def parse(body: Mapping[str, Any], environment: Mapping[str, str]) -> Config:
    """The configuration of a TOML document.

    Raises:
        BadConfig: with all that is wrong.
    """
    try:
        return Config.model_validate(body, context={"environment": environment})
    except ValidationError as exc:
        faults = exc.errors(include_url=False, include_input=False, include_context=False)
        lines = [
            f"{_named(fault['loc'], body)}: {fault['msg'].removeprefix('Value error, ')}"
            for fault in faults
        ]
        raise BadConfig("\n".join(lines)) from None


def _named(loc: tuple[int | str, ...], body: Mapping[str, Any]) -> str:
    """`gear[2] CAM-1.host`: the place in the file, with the code of the gear if it has one."""
    parts: list[str] = []
    for step in loc:
        if isinstance(step, int):
            parts[-1] += f"[{step + 1}]{_code_of(body, step) if parts == ['gear'] else ''}"
        elif not (len(parts) == 1 and parts[0].startswith("gear[") and step in _DRIVERS):
            parts.append(step)
    return ".".join(parts) or "the file"


_DRIVERS = frozenset({"visca", "obs", "magewell", "artnet", "sacn"})


def _code_of(body: Mapping[str, Any], index: int) -> str:
    try:
        code = body["gear"][index]["code"]
    except (KeyError, IndexError, TypeError):
        return ""
    return f" {code}" if isinstance(code, str) and code.isprintable() else ""


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
