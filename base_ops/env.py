"""Everything the environment may say, typed and read once."""

from email.utils import parseaddr
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


class Env(BaseSettings):
    """A missing or malformed value stops the start, with all of them named."""

    model_config = SettingsConfigDict(
        env_prefix="BASE_OPS_", env_file=".env", extra="ignore", frozen=True, populate_by_name=True
    )

    secret_key: SecretStr
    database_url: SecretStr = Field(validation_alias="DATABASE_URL")
    mqtt_url: SecretStr = Field(default=SecretStr(""), validation_alias="MQTT_URL")
    state_dir: Path = Path(".base_ops")
    debug: bool = False
    demo: bool = False
    log_json: bool = False
    log_level: str = "INFO"
    allowed_hosts: Annotated[list[str], NoDecode] = ["localhost", "127.0.0.1", "[::1]"]
    allowed_origins: Annotated[list[str], NoDecode] = []
    secure_cookies: bool = False
    behind_proxy: bool = False
    clock_file: str = ""
    public_url: str = ""
    smtp_url: SecretStr = SecretStr("")
    mail_from: str = "番禺直播基地 <noreply@base.invalid>"
    webhook_private: bool = False
    gateway_file: str = ""

    @field_validator("allowed_hosts", "allowed_origins", mode="before")
    @classmethod
    def _from_commas(cls, value: object) -> object:
        """Lists are written with commas."""
        if isinstance(value, str):
            return [part.strip() for part in value.split(",") if part.strip()]
        return value

    @field_validator("secret_key")
    @classmethod
    def _long_enough(cls, value: SecretStr) -> SecretStr:
        if len(value.get_secret_value()) < 32:
            raise ValueError("at least 32 characters are needed")
        return value

    @field_validator("database_url")
    @classmethod
    def _is_postgres(cls, value: SecretStr) -> SecretStr:
        scheme = urlsplit(value.get_secret_value()).scheme
        if scheme not in {"postgres", "postgresql"}:
            raise ValueError("must start with postgresql://")
        return value

    @field_validator("mqtt_url")
    @classmethod
    def _is_mqtt(cls, value: SecretStr) -> SecretStr:
        url = urlsplit(value.get_secret_value())
        if value.get_secret_value() and (url.scheme not in {"mqtt", "mqtts"} or not url.hostname):
            raise ValueError("must look like mqtt://host:1883 or mqtts://user:password@host:8883")
        return value

    @field_validator("public_url")
    @classmethod
    def _is_web(cls, value: str) -> str:
        url = urlsplit(value)
        if value and (url.scheme not in {"http", "https"} or not url.hostname or url.query):
            raise ValueError("must look like https://base.example.org")
        return value.rstrip("/")

    @field_validator("smtp_url")
    @classmethod
    def _is_smtp(cls, value: SecretStr) -> SecretStr:
        url = urlsplit(value.get_secret_value())
        schemes = {"smtp", "smtps", "smtp+starttls"}
        if value.get_secret_value() and (url.scheme not in schemes or not url.hostname):
            raise ValueError("must look like smtp+starttls://user:password@host:587, or smtps://")
        if (
            url.scheme == "smtp"
            and url.username
            and url.hostname not in {"localhost", "127.0.0.1"}
        ):
            raise ValueError("a password must not travel in clear: smtps:// or smtp+starttls://")
        _ = url.port  # or ValueError
        return value

    @field_validator("mail_from")
    @classmethod
    def _is_sender(cls, value: str) -> str:
        address = parseaddr(value)[1]
        if "@" not in address or not value.isprintable():
            raise ValueError("must look like Name <name@example.org>")
        return value

    @field_validator("log_level")
    @classmethod
    def _is_level(cls, value: str) -> str:
        if value.upper() not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
            raise ValueError("one of DEBUG, INFO, WARNING, ERROR")
        return value.upper()

    @model_validator(mode="after")
    def _hosts_named(self) -> Self:
        if not self.debug and "*" in self.allowed_hosts:
            raise ValueError("allowed_hosts: '*' only with BASE_OPS_DEBUG=1")
        return self


def read() -> Env:
    """The environment, or SystemExit with one line for each bad value; no value is printed."""
    try:
        return Env()
    except ValidationError as exc:
        lines = [f"  {_variable(fault['loc'])}: {fault['msg']}" for fault in exc.errors()]
        text = "\n".join(["Settings from the environment are not usable:", *lines])
        raise SystemExit(text) from None


def _variable(loc: tuple[int | str, ...]) -> str:
    """The name of the environment variable behind a fault."""
    name = str(loc[0]).upper() if loc else "BASE_OPS_*"
    return name if name in {"DATABASE_URL", "MQTT_URL"} or "*" in name else f"BASE_OPS_{name}"
