"""The audit trail cannot be rewritten; a request has one effect however often it is sent."""

from datetime import datetime

import pytest
from django.db import IntegrityError, InternalError, connection, transaction
from django.test import RequestFactory
from ninja import Schema, Status

from base_ops.core import audit, errors
from base_ops.core.actors import SYSTEM
from base_ops.core.idempotency import KeyReused, idempotent
from base_ops.core.models import AuditEntry, IdempotencyKey, Tenant
from tests import make

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE core_auditentry SET action = 'x'",
        "DELETE FROM core_auditentry",
        "TRUNCATE core_auditentry",
    ],
)
def test_nobody_rewrites_the_audit_trail(statement: str, now: datetime) -> None:
    audit.record(actor=SYSTEM, action="test.done", object_type="test", object_code="1", now=now)

    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE core_auditentry ENABLE TRIGGER ALL")

    with (
        pytest.raises((IntegrityError, InternalError), match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    assert AuditEntry.objects.get().action == "test.done"


class Made(Schema):
    code: str


@idempotent
def _make_tenant(request: object, idempotency_key: str) -> Status[Made]:
    return Status(201, Made(code=make.tenant().code))


@idempotent
def _refuse(request: object, idempotency_key: str) -> Status[Made]:
    make.tenant()
    raise errors.Conflict


def test_the_same_key_has_one_effect_and_one_answer() -> None:
    request = RequestFactory().post("/x", {"a": 1}, content_type="application/json")
    request.user = make.user()

    first = _make_tenant(request, idempotency_key="k" * 8)
    again = _make_tenant(request, idempotency_key="k" * 8)

    assert first.status_code == again.status_code == 201
    assert first.content == again.content
    assert again["Idempotency-Replayed"] == "true"
    assert Tenant.objects.count() == 1


def test_a_key_belongs_to_one_body() -> None:
    user = make.user()
    factory = RequestFactory()
    for body, refused in (({"a": 1}, False), ({"a": 2}, True)):
        request = factory.post("/x", body, content_type="application/json")
        request.user = user
        if refused:
            with pytest.raises(KeyReused):
                _make_tenant(request, idempotency_key="k" * 8)
        else:
            _make_tenant(request, idempotency_key="k" * 8)


@pytest.mark.django_db(transaction=True)
def test_a_refusal_leaves_neither_effect_nor_key() -> None:
    request = RequestFactory().post("/x", {}, content_type="application/json")
    request.user = make.user()

    with pytest.raises(errors.Conflict):
        _refuse(request, idempotency_key="k" * 8)

    assert not Tenant.objects.exists()
    assert not IdempotencyKey.objects.exists()
