"""Red letters (红字): who may start one, its states, and how an amount is taken off a line.

Source: 国家税务总局公告 2024 年第 11 号, on fully digital e-invoices. An invoice that the buyer
has neither confirmed for a use nor entered in its books is taken back by the seller alone. Once
it is used or entered, either side may start, and the other confirms within 72 hours.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum

from base_ops.core import money
from base_ops.core.errors import Conflict, FieldFault, Invalid

CONFIRM_WITHIN = timedelta(hours=72)
SERVICES = frozenset(
    {"modern_service_6", "real_estate_lease_9", "tangible_lease_13", "small_scale_1", "none"}
)
"""VAT categories of what is done and not sold: it cannot be sent back."""


class RedReason(StrEnum):
    """Why, by the tax office's list."""

    WRONG = "wrong"
    RETURNED = "returned"
    ENDED = "ended"
    ALLOWANCE = "allowance"


REASONS: Mapping[RedReason, tuple[str, str, str]] = {
    RedReason.WRONG: ("01", "开票有误", "invoiced in error"),
    RedReason.RETURNED: ("02", "销货退回", "goods returned"),
    RedReason.ENDED: ("03", "服务中止", "service ended early"),
    RedReason.ALLOWANCE: ("04", "销售折让", "allowance on the price"),
}
"""The office's code and both names."""


class RedState(StrEnum):
    """Where a confirmation form (红字确认单) stands; only an issued one is a document."""

    REQUESTED = "requested"
    CONFIRMED = "confirmed"
    ISSUED = "issued"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class RedDeed(StrEnum):
    """What can be done to one."""

    CONFIRM = "confirm"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"
    EXPIRE = "expire"
    ISSUE = "issue"


TABLE: Mapping[tuple[RedState, RedDeed], RedState] = {
    (RedState.REQUESTED, RedDeed.CONFIRM): RedState.CONFIRMED,
    (RedState.REQUESTED, RedDeed.REFUSE): RedState.REFUSED,
    (RedState.REQUESTED, RedDeed.WITHDRAW): RedState.WITHDRAWN,
    (RedState.REQUESTED, RedDeed.EXPIRE): RedState.EXPIRED,
    (RedState.CONFIRMED, RedDeed.WITHDRAW): RedState.WITHDRAWN,
    (RedState.CONFIRMED, RedDeed.ISSUE): RedState.ISSUED,
}
OPEN = (RedState.REQUESTED, RedState.CONFIRMED)


class BuyerUse(StrEnum):
    """What the buyer did with an invoice on the tax platform."""

    NONE = "none"
    BOOKED = "booked"
    DEDUCTED = "deducted"


class Side(StrEnum):
    """Who acts."""

    SELLER = "seller"
    BUYER = "buyer"


class WrongRedState(Conflict):
    """The form is not where this deed starts from."""

    code, title_zh, title_en = (
        "wrong_red_state",
        "红字确认单当前状态不允许此操作",
        "The red letter's state does not allow this",
    )


class SellerStarts(Conflict):
    """The buyer has not used the invoice: only the seller takes it back."""

    code, title_zh, title_en = (
        "seller_starts",
        "购买方未用途确认或入账，须由销售方发起",
        "Unused by the buyer: the seller has to start",
    )


class OtherSideDecides(Conflict):
    """Who started a form cannot confirm it for the other."""

    code, title_zh, title_en = (
        "other_side_decides",
        "须由对方确认",
        "The other side has to decide this",
    )


class RedNotAllowed(Invalid):
    """The reason does not fit what is to be taken back."""

    code, title_zh, title_en = (
        "red_reason_unfit",
        "该原因不适用于所选内容",
        "The reason does not fit what is taken back",
    )


class RedTooMuch(Conflict):
    """More than is left of a line or of the invoice."""

    code, title_zh, title_en = (
        "red_too_much",
        "红字金额超过可冲红余额",
        "More than is left of the invoice",
    )


def after(state: str, deed: RedDeed) -> RedState:
    """The state that `deed` leads to.

    Raises:
        WrongRedState: there is no such step.
    """
    target = TABLE.get((RedState(state), deed))
    if target is None:
        possible = sorted(str(d) for s, d in TABLE if s == state)
        raise WrongRedState(f"cannot {deed} one that is {state}", state=state, possible=possible)
    return target


def first_state(*, side: Side, use: str) -> RedState:
    """Where a new form begins: confirmed at once while the buyer has not used the invoice.

    Raises:
        SellerStarts: the buyer cannot start in that case.
    """
    if use == BuyerUse.NONE:
        if side is Side.BUYER:
            raise SellerStarts("the invoice is unused")
        return RedState.CONFIRMED
    return RedState.REQUESTED


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount in fen with its split; of a discount line all three are negative."""

    net_fen: int
    vat_fen: int

    @property
    def gross_fen(self) -> int:
        """Tax included."""
        return self.net_fen + self.vat_fen

    def __sub__(self, other: "Amount") -> "Amount":
        return Amount(self.net_fen - other.net_fen, self.vat_fen - other.vat_fen)

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(self.net_fen + other.net_fen, self.vat_fen + other.vat_fen)

    def __neg__(self) -> "Amount":
        return Amount(-self.net_fen, -self.vat_fen)


NOTHING = Amount(0, 0)


@dataclass(frozen=True, slots=True)
class Billed:
    """A line of the invoice, and what is left of it after earlier red letters."""

    position: int
    vat_category: str
    vat_rate: Decimal
    left: Amount


def taken(left: Amount, gross_fen: int, rate: Decimal) -> Amount:
    """`gross_fen` of what is left of a line, split as a line is; the last takes the rounding rest.

    Net and VAT each stay within what is left, so that the parts of a line sum to it exactly.

    Raises:
        RedTooMuch: nothing, of the other sign, or more than is left.
    """
    if left.gross_fen < 0:
        return -taken(-left, -gross_fen, rate)
    if not 0 < gross_fen <= left.gross_fen:
        raise RedTooMuch(f"{gross_fen} of {left.gross_fen} fen", left_fen=left.gross_fen)
    if gross_fen == left.gross_fen:
        return left
    net, _ = money.split_vat(gross_fen, rate)
    net = min(max(net, gross_fen - left.vat_fen), left.net_fen)
    return Amount(net, gross_fen - net)


def parts(
    lines: Sequence[Billed], wanted: Mapping[int, int] | None, reason: str, use: str
) -> dict[int, Amount]:
    """What is taken off each line: all that is left, or the wished gross amounts by position.

    A part is taken back only of what the buyer used, and as goods sent back or an allowance.

    Raises:
        RedNotAllowed: the reason does not fit, a position is unknown, or it would be a debt.
        RedTooMuch: more than is left of a line or at one rate, or nothing is left.
    """
    if wanted is not None:
        _check_partial(reason, use)
    _check_reason(lines, wanted, reason)
    by_place = {entry.position: entry for entry in lines}
    whole = {p: e.left.gross_fen for p, e in by_place.items() if e.left.gross_fen}
    found = {
        p: taken(by_place[p].left, fen, by_place[p].vat_rate)
        for p, fen in (whole if wanted is None else wanted).items()
    }
    if wanted is not None:
        _check_rates(by_place, found)
    if sum(part.gross_fen for part in found.values()) <= 0:
        raise RedTooMuch("nothing is left to give back", left_fen=0)
    return found


def _check_partial(reason: str, use: str) -> None:
    if use == BuyerUse.NONE:
        raise RedNotAllowed(
            "an unused invoice is taken back as a whole",
            fields=[_fault("lines", "未用途确认或入账的须全额冲红", "unused: all of it")],
        )
    if reason not in (RedReason.RETURNED, RedReason.ALLOWANCE):
        raise RedNotAllowed(
            f"{reason} takes back the whole invoice",
            fields=[_fault("lines", "该原因须全额冲红", "this reason takes back all of it")],
        )


def _check_reason(lines: Sequence[Billed], wanted: Mapping[int, int] | None, reason: str) -> None:
    known = {entry.position: entry for entry in lines}
    chosen = known if wanted is None else wanted
    if unknown := sorted(set(chosen) - set(known)):
        raise RedNotAllowed(
            f"no such lines: {unknown}", fields=[_fault("lines", "没有该行", "no such line")]
        )
    done = [p for p in chosen if known[p].vat_category in SERVICES]
    if reason == RedReason.RETURNED and done:
        raise RedNotAllowed(
            "a service cannot be sent back",
            fields=[_fault("reason", "服务不适用销货退回", "services cannot be sent back")],
        )


def _check_rates(lines: Mapping[int, Billed], found: Mapping[int, Amount]) -> None:
    """Lines with their discounts, by rate: each rate gives something back, within what is left."""
    left: dict[tuple[str, Decimal], Amount] = {}
    off: dict[tuple[str, Decimal], Amount] = {}
    for place, entry in lines.items():
        key = (entry.vat_category, entry.vat_rate)
        left[key] = left.get(key, NOTHING) + entry.left
        if place in found:
            off[key] = off.get(key, NOTHING) + found[place]
    for key, part in off.items():
        if min(part.net_fen, part.vat_fen) < 0:
            raise RedNotAllowed(
                "a red letter gives back and never asks for more",
                fields=[_fault("lines", "红字须为冲减", "it has to give something back")],
            )
        rest = left[key] - part
        if min(rest.net_fen, rest.vat_fen) < 0:
            raise RedTooMuch(
                f"{part.gross_fen} of {left[key].gross_fen} fen at {key[1]}",
                left_fen=left[key].gross_fen,
            )


def _fault(name: str, zh: str, en: str) -> FieldFault:
    return FieldFault(name, zh, en)
