"""Refusals about payments, wallets, deposits and the books that no other test asks for."""

from datetime import timedelta
from typing import Any

import pytest

from base_ops.core import clock
from base_ops.core.models import Role
from billing.domain.texts import local_day
from billing.models import PolicyRow
from billing.services import claim_packs
from tests import make
from tests.api.refusing import Provoked, is_problem
from tests.billing.money import relieved, settled
from tests.booking.test_api import API, client, post

pytestmark = pytest.mark.django_db


def _finance() -> Any:
    return client(make.user(Role.FINANCE))


def _money(**more: Any) -> dict[str, Any]:
    today = local_day(clock.now())
    return {"method": "transfer", "amount_fen": 100, "received_on": str(today)} | more


def _payment(caller: Any, **more: Any) -> str:
    return f"/payments/{post(caller, '/payments', _money(**more)).json()['id']}"


def bank_reference_taken() -> Any:
    caller = _finance()
    post(caller, "/payments", _money(bank_reference="R"))
    return post(caller, "/payments", _money(bank_reference="R"))


def no_such_payment() -> Any:
    return post(_finance(), "/payments/987654321/allocate", {})


def over_allocated() -> Any:
    caller = _finance()
    path = _payment(caller, tenant=make.tenant().code)
    return post(caller, f"{path}/to-wallet", {"amount_fen": 101})


def payment_state() -> Any:
    caller = _finance()
    return post(caller, f"{_payment(caller)}/allocate", {})


def wallet_short() -> Any:
    return post(_finance(), "/wallets/use", {"tenant": make.tenant().code})


def no_such_deposit() -> Any:
    body = {"amount_fen": 1, "on": str(local_day(clock.now()))}
    return post(_finance(), "/deposits/987654321/return", body)


def deposit_short() -> Any:
    caller, today = _finance(), str(local_day(clock.now()))
    body = {"tenant": make.tenant().code, "purpose": "room/1", "amount_fen": 5, "on": today}
    made = post(caller, "/deposits", body).json()
    return post(caller, f"/deposits/{made['id']}/return", {"amount_fen": 6, "on": today})


def period_closed() -> Any:
    caller = _finance()
    before = local_day(clock.now()).replace(day=1) - timedelta(days=1)
    post(caller, f"/ledger/periods/{before:%Y-%m}/close")
    return post(caller, "/payments", _money(received_on=str(before)))


def period_state() -> Any:
    return post(_finance(), f"/ledger/periods/{local_day(clock.now()):%Y-%m}/close")


def bad_dunning() -> Any:
    step = {"code": "a", "days": 1, "tone": "final"}
    body = {"steps": [step, step], "late_fee": {"per_day": "2", "cap_pct": 1}}
    return _finance().put(
        f"{API}/dunning", body, content_type="application/json", headers={"If-Match": "*"}
    )


def bank_import_refused() -> Any:
    return _finance().post(
        f"{API}/bank-imports?format=csv&mode=atomic",
        "日期,金额,流水号\n2026-01-01,x,1\n".encode(),
        content_type="text/csv",
        headers={"Idempotency-Key": "bank-file-1"},
    )


def _claim(caller: Any) -> str:
    settled(relieved(make.tenant()))
    PolicyRow.objects.get_or_create(
        code="P08", version=1,
        defaults={
            "kind": "discount_pct", "funding": "district_fiscal", "valid_from": "2026-01-01",
            "valid_to": "2026-12-31", "data": {},
        },
    )  # fmt: skip
    return f"/claims/{post(caller, '/claims', _NOVEMBER).json()['id']}"


_NOVEMBER = {"programme": "P08", "period_from": "2026-11-01", "period_to": "2026-11-30"}


def no_such_claim() -> Any:
    return post(_finance(), "/claims/987654321/submit")


def claim_state() -> Any:
    caller = _finance()
    return post(caller, f"{_claim(caller)}/decide", {})


def nothing_to_claim() -> Any:
    caller = _finance()
    _claim(caller)
    return post(caller, "/claims", _NOVEMBER)


def pack_too_large() -> Any:
    caller = _finance()
    path = _claim(caller)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(claim_packs, "MOST_INVOICES", 0)
        return caller.get(f"{API}{path}/pack")


PROVOKED: Provoked = {
    "bad_dunning": (422, bad_dunning),
    "bank_import_refused": (409, bank_import_refused),
    "claim_state": (409, claim_state),
    "no_such_claim": (404, no_such_claim),
    "nothing_to_claim": (409, nothing_to_claim),
    "pack_too_large": (409, pack_too_large),
    "bank_reference_taken": (409, bank_reference_taken),
    "deposit_short": (409, deposit_short),
    "no_such_deposit": (404, no_such_deposit),
    "no_such_payment": (404, no_such_payment),
    "over_allocated": (409, over_allocated),
    "payment_state": (409, payment_state),
    "period_closed": (409, period_closed),
    "period_state": (409, period_state),
    "wallet_short": (409, wallet_short),
}


@pytest.mark.parametrize("code", PROVOKED)
def test_each_refusal_is_a_problem_with_its_code(code: str) -> None:
    status, provoke = PROVOKED[code]

    is_problem(provoke(), status, code)
