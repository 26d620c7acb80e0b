"""What can go wrong, in kinds that the edge turns into HTTP statuses.

Subclass a kind beside the function that raises it and give it a stable `code` and both titles.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FieldFault:
    """One field and why it was refused, in both languages."""

    name: str
    reason_zh: str
    reason_en: str


class DomainError(Exception):
    """A refusal that a caller can understand. `context` goes into the answer: no secrets."""

    code = "error"
    title_zh = "出错了"
    title_en = "Something went wrong"

    def __init__(
        self, detail: str = "", *, fields: Sequence[FieldFault] = (), **context: object
    ) -> None:
        super().__init__(detail or self.title_en)
        self.detail = detail
        self.fields = tuple(fields)
        self.context = context


class Invalid(DomainError):
    """The request breaks a rule (422)."""

    code, title_zh, title_en = "invalid", "内容有误", "The request is not valid"


class NotFound(DomainError):
    """No such thing, or not for this caller (404)."""

    code, title_zh, title_en = "not_found", "未找到", "Not found"


class MethodNotAllowed(DomainError):
    """The address knows other methods; `Allow` names them (405)."""

    code, title_zh, title_en = "method_not_allowed", "不支持的请求方法", "Method not allowed"


class Conflict(DomainError):
    """The state of the world forbids it now (409)."""

    code, title_zh, title_en = "conflict", "状态冲突", "Conflicts with the current state"


class Unauthenticated(DomainError):
    """Nobody is signed in (401)."""

    code, title_zh, title_en = "unauthenticated", "请先登录", "Sign in first"


class Forbidden(DomainError):
    """Signed in, but not entitled (403)."""

    code, title_zh, title_en = "forbidden", "没有权限", "Not allowed"


class PreconditionFailed(DomainError):
    """Somebody changed it meanwhile (412)."""

    code, title_zh, title_en = (
        "changed_meanwhile",
        "已被他人修改",
        "Changed by someone else meanwhile",
    )


class PreconditionRequired(DomainError):
    """An edit without If-Match (428)."""

    code, title_zh, title_en = "if_match_required", "缺少 If-Match", "If-Match is required"


class TooLarge(DomainError):
    """More bytes than accepted (413)."""

    code, title_zh, title_en = "too_large", "内容过大", "Too large"


class UnsupportedMedia(DomainError):
    """Content of a kind that is not taken (415)."""

    code, title_zh, title_en = (
        "unsupported_media",
        "不支持的内容类型",
        "Not a supported kind of file",
    )


class TooMany(DomainError):
    """Too many requests (429)."""

    code, title_zh, title_en = "too_many", "请求过于频繁", "Too many requests"


class Unavailable(DomainError):
    """A part that is needed is away; try again (503)."""

    code, title_zh, title_en = "unavailable", "服务暂不可用", "Temporarily unavailable"
