"""What the API says about notices, wishes, endpoints and deliveries."""

from datetime import datetime, time
from typing import Annotated, Literal

from ninja import Schema
from pydantic import Field

from base_ops.core.models import Delivery, Endpoint, InboxItem
from base_ops.core.notifications import templates
from base_ops.core.pages import Page

KindName = Annotated[str, Field(max_length=64)]
RobotOrWebhook = Literal["webhook", "wecom", "dingtalk"]


class NoticeOut(Schema):
    """One notice in the caller's inbox, in both languages; plain text, never markup."""

    id: int
    kind: str
    urgent: bool
    title_zh: str
    title_en: str
    body_zh: str
    body_en: str
    link: str
    created_at: datetime
    read_at: datetime | None

    @classmethod
    def of(cls, item: InboxItem) -> "NoticeOut":
        """An item as it reads today; a kind that no template knows any more shows its name."""
        notice = item.notice
        template = templates.known().get(notice.kind)
        shown = {"title_zh": notice.kind, "title_en": notice.kind, "body_zh": "", "body_en": ""}
        if template is not None:
            zh, en = (templates.rendered(template, notice.params, lang) for lang in ("zh", "en"))
            shown = {
                "title_zh": zh.title,
                "title_en": en.title,
                "body_zh": zh.body,
                "body_en": en.body,
            }
        return cls(
            id=item.pk,
            kind=notice.kind,
            urgent=notice.urgent,
            link=templates.link_of(template, notice.params) if template else "",
            created_at=item.created_at,
            read_at=item.read_at,
            **shown,
        )


class NoticePage(Page[NoticeOut]):
    """Some notices, and how many of all are unread."""

    unread: int


class ReadMarks(Schema):
    """Which notices were read: these, or all up to now."""

    ids: list[int] | None = Field(default=None, max_length=500)


class UnreadOut(Schema):
    """What the bell shows."""

    unread: int


class KindOut(Schema):
    """A kind of notice, and by which channels the caller gets it."""

    kind: str
    title_zh: str
    title_en: str
    urgent: bool
    in_app: bool
    email: bool


class PreferencesOut(Schema):
    """The caller's wishes; times are those of the base (Asia/Shanghai)."""

    quiet_from: time | None
    quiet_to: time | None
    kinds: list[KindOut]
    version: int


class Choice(Schema):
    """By which channels a kind of notice is wanted; what is left out follows the default."""

    in_app: bool | None = None
    email: bool | None = None


class PreferencesIn(Schema):
    """All of the caller's wishes. Quiet hours delay e-mail that is not urgent; none: both null."""

    quiet_from: time | None = None
    quiet_to: time | None = None
    choices: dict[KindName, Choice] = Field(default_factory=dict, max_length=200)


class EndpointIn(Schema):
    """A new webhook or robot. `secret` is DingTalk's SEC…; webhooks get one by `/secret`."""

    kind: RobotOrWebhook
    name: str = Field(min_length=1, max_length=80)
    url: str = Field(min_length=8, max_length=1000)
    secret: str = Field(default="", max_length=200)
    kinds: list[KindName] = Field(default_factory=list, max_length=100)
    language: Literal["zh", "en"] = "zh"
    plain: bool = False


class EndpointPatch(Schema):
    """Changes of an endpoint; what is left out stays."""

    name: str | None = Field(default=None, min_length=1, max_length=80)
    url: str | None = Field(default=None, min_length=8, max_length=1000)
    secret: str | None = Field(default=None, max_length=200)
    kinds: list[KindName] | None = Field(default=None, max_length=100)
    language: Literal["zh", "en"] | None = None
    plain: bool | None = None
    active: bool | None = None


class EndpointOut(Schema):
    """An endpoint without its address's path and without secrets."""

    code: str
    kind: str
    tenant: str | None
    name: str
    host: str
    kinds: list[str]
    language: str
    plain: bool
    active: bool
    inactive_reason: str
    has_secret: bool
    failures: int
    open_until: datetime | None
    last_ok_at: datetime | None
    last_error: str
    created_at: datetime
    version: int

    @staticmethod
    def resolve_tenant(obj: Endpoint) -> str | None:
        """The tenant's code; null for the base's own."""
        return obj.tenant.code if obj.tenant else None

    @staticmethod
    def resolve_has_secret(obj: Endpoint) -> bool:
        """Whether a secret was shown to, or given by, somebody."""
        return bool(obj.secret_sealed) and (obj.kind != "webhook" or bool(obj.secret_shown_at))


class SecretOut(Schema):
    """The one answer that carries a webhook's secret; the one before is valid until then."""

    secret: str
    old_valid_until: datetime | None


class DeliveryOut(Schema):
    """One message on its way, arrived, or dead."""

    id: int
    kind: str
    endpoint: str
    channel: str
    recipient: str | None
    status: str
    attempts: int
    created_at: datetime
    due_at: datetime
    attempted_at: datetime | None
    ended_at: datetime | None
    error: str

    @staticmethod
    def resolve_kind(obj: Delivery) -> str:
        """The notice's kind."""
        return obj.notice.kind

    @staticmethod
    def resolve_endpoint(obj: Delivery) -> str:
        """The endpoint's code."""
        return obj.endpoint.code

    @staticmethod
    def resolve_channel(obj: Delivery) -> str:
        """How it is sent."""
        return obj.endpoint.kind

    @staticmethod
    def resolve_recipient(obj: Delivery) -> str | None:
        """To whom, by e-mail."""
        return obj.user.email if obj.user else None
