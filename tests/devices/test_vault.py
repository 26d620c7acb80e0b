"""A stream key is seen by nobody but the encoder, and is gone with the right that it serves."""

import asyncio
import json
import logging
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from base_ops.core import clock
from base_ops.core.models import AuditEntry, Role, Space
from devices import services
from devices.domain import codec
from devices.domain.entitlement import NotEntitled
from devices.gateway.targets import UNKNOWN, Target, Targets
from devices.models import Device, StreamTarget
from devices.services import vault
from tests import make as base
from tests.devices import make
from tests.devices.test_api import Caller, holder_of

pytestmark = pytest.mark.django_db
KEY, HOST = "sk-9f3b7a-do-not-tell", "push.secret-host.example"
WISH = {"url": f"rtmp://{HOST}/live", "key": KEY}
REF = "booking:BK1"
HOUR = timedelta(hours=1)


def put(who: Caller, space: Space, body: Any) -> tuple[int, Any]:
    client: Client = who.client
    answer = client.put(
        f"/api/v1/spaces/{space.code}/stream-target",
        data=json.dumps(body), content_type="application/json",
    )  # fmt: skip
    return answer.status_code, json.loads(answer.content)


def everything_stored() -> str:
    """All text of all tables."""
    found = []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables "
            "WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        )
        for (table,) in cursor.fetchall():
            cursor.execute(f"SELECT t::text FROM {table} t")  # names of the catalogue
            found += [row for (row,) in cursor.fetchall()]
    return "\n".join(found)


def room() -> tuple[Space, Device]:
    space = base.space()
    return space, make.device("encoder", space=space, link="online")


def test_the_key_is_in_no_answer_log_table_or_message(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    space, _ = room()
    who = holder_of(space, clock.now())

    status, answer = put(who, space, WISH)
    bad = put(who, space, {"url": "file:///etc/passwd", "key": KEY})
    long = put(who, space, WISH | {"key": KEY * 100})
    who.post(f"/spaces/{space.code}/scene", {"scene": "on_air"})
    sent = [codec.encode(c.outgoing).payload for c in services.claim_commands(100, clock.now())]
    stored = everything_stored()

    assert (status, answer["target_ref"]) == (200, REF)
    assert (bad[0], long[0]) == (422, 422)
    assert any(REF.encode() in payload for payload in sent)
    for secret in (KEY, HOST):
        assert secret not in json.dumps([answer, bad, long])
        assert secret not in caplog.text
        assert secret not in stored
        assert all(secret.encode() not in payload for payload in sent)
    assert "stream_target.set" in stored
    found = vault.opened(REF, now=clock.now())
    assert found is not None
    assert (found.url, found.key) == (WISH["url"], KEY)
    assert KEY not in repr(found)


def test_only_whoever_holds_the_room_writes_and_nobody_reads() -> None:
    space, _ = room()
    who = holder_of(space, clock.now())
    others = {role: put(Caller(base.user(role)), space, WISH)[0] for role in Role}
    path = f"/api/v1/spaces/{space.code}/stream-target"

    assert others == {
        "tenant_admin": 404, "tenant_member": 404, "manager": 403, "technician": 403,
        "admin": 403, "finance": 403, "liaison": 403,
    }  # fmt: skip
    assert not StreamTarget.objects.exists()
    assert put(who, space, WISH)[0] == 200
    assert who.client.get(path).status_code == 405
    assert who.client.delete(path).status_code == 204
    assert who.client.delete(path).status_code == 204
    assert not StreamTarget.objects.exists()


def test_it_is_gone_at_check_out_and_at_the_end_whether_or_not_the_bridge_lives() -> None:
    now = clock.now()
    space, _ = room()
    who = holder_of(space, now)
    put(who, space, WISH)

    assert vault.opened(REF, now=now + HOUR) is None
    assert vault.wipe_ended(now + HOUR - timedelta(seconds=1)) == 0
    assert vault.wipe_ended(now + HOUR) == 1
    put(who, space, WISH)
    services.revoke_control(booking_code="BK1", now=now)

    assert not StreamTarget.objects.exists()
    assert AuditEntry.objects.filter(action="stream_target.wipe").count() == 2
    assert vault.opened(REF, now=now) is None


def test_what_is_sealed_for_one_booking_does_not_open_for_another() -> None:
    now = clock.now()
    space, _ = room()
    put(holder_of(space, now), space, WISH)
    other = base.space()
    grant = services.grant_control(
        space=other, tenant_id=base.tenant().pk, booking_code="BK2", until=now + HOUR, now=now
    )
    mine = StreamTarget.objects.get()

    StreamTarget.objects.create(grant=grant, sealed=mine.sealed, set_by="x", set_at=now)

    assert vault.opened("booking:BK2", now=now) is None


def test_a_tenants_encoder_streams_to_its_own_target_or_nowhere() -> None:
    now = clock.now()
    space, encoder = room()
    who = holder_of(space, now).user.actor

    def aim(ref: str | None) -> None:
        services.send_command(device=encoder, state={"target_ref": ref}, actor=who, now=now)

    aim(REF)
    aim(None)
    for ref in ("booking:BK2", "house-channel"):
        with pytest.raises(NotEntitled):
            aim(ref)


def test_the_gateway_is_lent_a_target_and_knows_it_again_without_keeping_it() -> None:
    lent = Target(WISH["url"], KEY)
    targets = Targets({}, None, lambda ref: lent if ref == REF else None)

    found = asyncio.run(targets.fetch(REF))
    unknown = asyncio.run(targets.fetch("booking:BK2"))

    assert found == lent
    assert unknown is None
    assert targets.find(REF) is None
    assert targets.name_of(lent.url, lent.key, REF, lent.print) == REF
    assert targets.name_of(lent.url, "by-hand", REF, lent.print) == UNKNOWN
    assert KEY not in lent.print + repr(lent)
