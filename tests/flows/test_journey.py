"""The main job: book → prepare → check in → on air → wrap → charge → invoice, by public doors."""

from datetime import datetime, timedelta
from typing import Any

import paho.mqtt.client as paho
import pypdfium2
from paho.mqtt.enums import CallbackAPIVersion

from tests.flows.listening import Ear
from tests.flows.stack import Person, Stack
from tests.waiting import eventually

STEP_S = 30.0
ROOM_TYPE = "studio_single"


def test_from_a_free_slot_to_a_paid_for_invoice(stack: Stack) -> None:
    tenant = stack.sign_in("tenant_admin")
    manager = stack.sign_in("manager")
    finance = stack.sign_in("finance")
    ear = Ear.of(manager, "occ.ops", "occ.public", "alarms")

    booking = _book(stack, tenant)
    room = booking["space"]["code"]
    ear.socket.send(f'{{"t":"sub","topic":"space.{room}"}}')
    _someone_else_cannot_see_it(tenant, manager, room, booking["code"])
    _prepare(stack, ear, room, booking)
    _check_in(stack, tenant, ear, room, booking)
    _control(stack, tenant, ear, room)
    _end(stack, tenant, ear, room, booking)
    charge = _charged(stack, tenant, booking)
    _invoice(stack, finance, tenant, booking, charge)

    assert ear.gaps == []
    ear.close()


def _book(stack: Stack, tenant: Person) -> dict[str, Any]:
    """Time first, room second; the quote explains itself; the same request has one effect."""
    start = _grid(stack.now() + timedelta(hours=3))
    window = {"from": start.isoformat(), "to": (start + timedelta(hours=2)).isoformat()}
    found = tenant.get("/availability", **window, type=ROOM_TYPE)
    room = next(item for item in found["items"] if item["free"])
    wish = {
        "space": room["space"],
        "starts_at": window["from"],
        "ends_at": window["to"],
        "headcount": 1,
        "title": "旅程测试 <b>专场</b>",
    }
    offer = tenant.does("/quotes", wish)
    quote = offer["quote"]
    assert quote["total_fen"] == sum(line["gross_fen"] for line in quote["lines"])
    assert any(p["verdict"] == "refused" and p["reason_zh"] for p in quote["policies"])

    body = wish | {"confirm": True, "quote_token": offer["token"]}
    first = tenant.post("/bookings", body, key="journey-key-1")
    again = tenant.post("/bookings", body, key="journey-key-1")

    assert first.status_code == again.status_code == 201, first.text
    assert first.json()["code"] == again.json()["code"]
    assert again.headers["Idempotency-Replayed"] == "true"
    refused = tenant.post("/bookings", wish)
    assert refused.status_code == 409, refused.text
    assert refused.json()["code"] == "slot_taken"
    assert refused.json()["alternatives"]
    assert first.json()["price_fen"] == quote["total_fen"]
    booked: dict[str, Any] = first.json()
    return booked


def _grid(instant: datetime) -> datetime:
    return datetime.fromtimestamp(instant.timestamp() // 1800 * 1800 + 1800, instant.tzinfo)


def _someone_else_cannot_see_it(tenant: Person, manager: Person, room: str, code: str) -> None:
    own = tenant.get(f"/bookings/{code}")
    assert own["status"] == "confirmed"
    assert tenant.http.get("/devices", params={"space": room}).json() == []
    assert tenant.post(f"/spaces/{room}/scene", {"scene": "on_air"}).status_code in {403, 404}


def _prepare(stack: Stack, ear: Ear, room: str, booking: dict[str, Any]) -> None:
    """At T-15 the lights come on by themselves, and the room says whether it can go live."""
    stack.move_clock(_at(booking["starts_at"]) - timedelta(minutes=14, seconds=50))

    eventually(lambda: _lit(ear, room), timeout_s=STEP_S)
    eventually(
        lambda: ear.value("occ.ops", room).get("booking") == booking["code"], timeout_s=STEP_S
    )
    eventually(lambda: ear.value("occ.ops", room).get("ready") == "green", timeout_s=STEP_S)


def _lit(ear: Ear, room: str) -> bool:
    lights = [d for d in ear.topics.get(f"space.{room}", {}).values() if d["kind"] == "light"]
    return bool(lights) and any(d["reported"].get("power") for d in lights)


def _check_in(stack: Stack, tenant: Person, ear: Ear, room: str, booking: dict[str, Any]) -> None:
    """The right code opens the room; the encoder goes live and everybody sees it."""
    stack.move_clock(_at(booking["starts_at"]) + timedelta(seconds=5))
    path = f"/bookings/{booking['code']}"
    assert tenant.post(f"{path}/check-in", {"pin": "abcdef"}).json()["code"] == (
        "wrong_check_in_code"
    )
    shown = tenant.get(f"{path}/check-in-code")

    tenant.does(f"{path}/check-in", {"token": shown["token"]})

    eventually(lambda: ear.value("occ.ops", room).get("on_air"), timeout_s=STEP_S)
    eventually(lambda: ear.value("occ.ops", room)["status"] == "live", timeout_s=STEP_S)
    public = eventually(lambda: ear.value("occ.public", room), timeout_s=STEP_S)
    assert "tenant" not in public
    assert booking["code"] not in str(public)


def _control(stack: Stack, tenant: Person, ear: Ear, room: str) -> None:
    """Now, and only now, the tenant commands the room; a bad value is refused by name."""
    lights = [d for d in tenant.get(f"/spaces/{room}/devices") if d["kind"] == "light"]
    light = next(d for d in lights if d["role"] == "key")
    seen: list[Any] = []
    spy = _spy(stack, light["code"], seen)

    queued = tenant.does(
        f"/devices/{light['code']}/commands", {"state": {"brightness": 37}}, status=202
    )

    eventually(
        lambda: tenant.get(f"/commands/{queued['id']}")["status"] == "done", timeout_s=STEP_S
    )
    eventually(
        lambda: ear.value(f"space.{room}", light["code"])["reported"]["brightness"] == 37,
        timeout_s=STEP_S,
    )
    told = [m for m in seen if queued["id"].encode() in m.payload]
    assert [m.retain for m in told] == [False]
    spy.disconnect()
    bad = tenant.post(f"/devices/{light['code']}/commands", {"state": {"brightness": 900}})
    assert bad.status_code == 422
    assert "brightness" in bad.json()["fields"][0]["name"]


def _spy(stack: Stack, device: str, seen: list[Any]) -> paho.Client:
    """A plain MQTT client that reads what the device is told."""
    port = stack.mqtt_port()
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    ready: list[bool] = []
    client.on_subscribe = lambda *_: ready.append(True)
    client.on_message = lambda _client, _data, message: seen.append(message)
    client.connect("127.0.0.1", port)
    client.subscribe(f"wb1/d/{device}/cmd", qos=1)
    client.loop_start()
    eventually(lambda: ready, timeout_s=STEP_S)
    return client


def _end(stack: Stack, tenant: Person, ear: Ear, room: str, booking: dict[str, Any]) -> None:
    """At the end the encoder stops by itself, the room is wrapped, and the control is gone."""
    stack.move_clock(_at(booking["ends_at"]) + timedelta(seconds=5))

    eventually(lambda: not ear.value("occ.ops", room).get("on_air"), timeout_s=STEP_S)
    path = f"/bookings/{booking['code']}"
    eventually(lambda: tenant.get(path)["status"] == "completed", timeout_s=STEP_S)
    devices = f"space.{room}"
    cameras = [k for k, d in ear.topics[devices].items() if d["kind"] == "camera"]
    assert cameras
    eventually(
        lambda: all(ear.value(devices, c)["reported"].get("privacy") for c in cameras),
        timeout_s=STEP_S,
    )
    eventually(
        lambda: ear.value("occ.ops", room)["status"] in {"turnover", "free"}, timeout_s=STEP_S
    )
    assert tenant.post(f"/spaces/{room}/scene", {"scene": "on_air"}).status_code in {403, 404}


def _charged(stack: Stack, tenant: Person, booking: dict[str, Any]) -> dict[str, Any]:
    """The stay became charges that add up to the price that was quoted."""
    charges = [
        c
        for c in tenant.get("/charges", limit=500)["items"]
        if c["booking_code"] == booking["code"]
    ]
    total = sum(c["gross_fen"] for c in charges if c["kind"] in {"room", "surge", "discount"})
    assert total == booking["price_fen"], charges
    assert all(c["net_fen"] + c["vat_fen"] == c["gross_fen"] for c in charges)
    room: dict[str, Any] = next(c for c in charges if c["kind"] == "room")
    return room


def _invoice(
    stack: Stack, finance: Person, tenant: Person, booking: dict[str, Any], charge: dict[str, Any]
) -> None:
    """Preview → approve → issue; what was previewed is what the PDF says, in both languages."""
    run = finance.does("/invoice-runs", {"month": charge["service_on"][:7]}, status=201)
    path = f"/invoice-runs/{run['id']}"
    preview = finance.get(path)
    finance.does(f"{path}/approve", {"inputs_hash": preview["inputs_hash"]})
    finance.does(f"{path}/issue", status=202)
    eventually(lambda: finance.get(path)["status"] == "issued", timeout_s=120)

    code = tenant.user["tenant"]["code"]
    invoices = tenant.get("/invoices", month=charge["service_on"][:7])["items"]
    assert invoices
    assert all(i["tenant"]["code"] == code for i in invoices)
    mine = [tenant.get(f"/invoices/{i['number']}") for i in invoices]
    invoice = next(
        i for i in mine if any(charge["description_zh"] == x["description_zh"] for x in i["lines"])
    )
    assert invoice["gross_fen"] == sum(line["gross_fen"] for line in invoice["lines"])
    for language in ("zh", "en"):
        text = _pdf(tenant, invoice["number"], language)
        assert invoice["number"] in text
        assert charge[f"description_{language}"].replace(" ", "") in text
        assert f"{invoice['gross_fen'] / 100:,.2f}" in text
    assert invoice["capitals_zh"] in _pdf(tenant, invoice["number"], "zh")


def _pdf(person: Person, number: str, language: str) -> str:
    """The PDF's text without any blanks."""
    answer = person.http.get(f"/invoices/{number}/pdf", params={"lang": language})
    assert answer.status_code == 200, answer.text[:300]
    pages = pypdfium2.PdfDocument(answer.content)
    text = "".join(page.get_textpage().get_text_range() for page in pages)
    return "".join(text.split())


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)
