"""The inventory is filtered, exported and imported; a file is taken in whole or not at all."""

import io
from typing import Any

import openpyxl
import pytest

from base_ops.core.models import AuditEntry, Role
from devices.models import Device, DeviceModel, Mounting
from devices.services import placing
from tests import make as base
from tests.devices import make
from tests.devices.registry.calls import Caller

pytestmark = pytest.mark.django_db
HEADER = ["设备编号", "型号编号", "空间编号", "位置编号", "用途", "序列号", "备注"]


def xlsx(*rows: list[Any], header: list[str] = HEADER) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (header, *rows):
        sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def model() -> str:
    row = make.device().model
    assert row is not None
    return row.code


def faults(answer: dict[str, Any]) -> dict[int, list[str]]:
    return {r["row"]: [f["name"] for f in r["faults"]] for r in answer["rows"] if r["faults"]}


def test_new_devices_come_into_service_or_into_the_store() -> None:
    space, kind_of = base.space(), model()
    who = Caller(Role.TECHNICIAN)
    file = xlsx(
        ["NEW-1", kind_of, space.code, "WALL-1", "key", "SN-1", "=1+1"],
        ["NEW-2", kind_of, None, None, None, 20260001.0, None],
    )

    dry = who.send("/device-imports/dry-run?format=xlsx", file)
    assert (dry[0], dry[1]["counts"]["refused"], faults(dry[1])) == (200, 1, {2: ["note"]})
    good = xlsx(
        ["NEW-1", kind_of, space.code, "WALL-1", "key", "SN-1", "spot"],
        ["NEW-2", kind_of, None, None, None, 20260001.0, None],
    )
    assert who.send("/device-imports/dry-run?format=xlsx", good)[1]["counts"]["added"] == 2
    assert not Device.objects.filter(code__startswith="NEW").exists()
    status, report = who.send("/device-imports?format=xlsx", good)

    assert (status, report["counts"]["added"]) == (201, 2)
    one, two = Device.objects.filter(code__startswith="NEW").order_by("code")
    assert (one.status, one.space, one.serial, one.note) == ("active", space, "SN-1", "spot")
    assert Mounting.objects.get(device=one).place.code == "WALL-1"
    assert (two.status, two.space, two.serial) == ("maintenance", None, "20260001")
    entry = AuditEntry.objects.get(action="inventory.import")
    assert entry.after is not None
    assert entry.after["added"] == 2


def test_one_bad_row_keeps_all_out_and_every_fault_is_named() -> None:
    space, kind_of = base.space(), model()
    taken = make.device(space=space)
    placing.settle([taken.pk])
    who = Caller(Role.MANAGER)
    file = xlsx(
        ["OK-1", kind_of, space.code],
        ["bad code!", kind_of, space.code],
        ["OK-2", "NONE", "NOWHERE"],
        ["OK-1", kind_of],
        ["OK-3", kind_of, space.code, taken.code],
        ["OK-4", kind_of, None, "WALL-9"],
        [taken.code, "LT-OTHER", base.space().code],
        ["OK-5", kind_of, space.code, None, "x" * 41],
    )

    status, answer = who.send("/device-imports?format=xlsx", file)

    assert (status, answer["code"]) == (409, "inventory_refused")
    assert faults(answer) == {
        3: ["code"],
        4: ["model", "space"],
        5: ["code"],
        6: ["place"],
        7: ["space"],
        8: ["model", "space"],
        9: ["role"],
    }
    assert not Device.objects.filter(code__startswith="OK").exists()
    assert not AuditEntry.objects.filter(action="inventory.import").exists()


def test_a_known_device_is_corrected_by_a_file() -> None:
    light = make.device()
    who = Caller(Role.MANAGER)
    file = f"设备编号,序列号,备注\n{light.code},SN-7,\n".encode()

    first = who.send("/device-imports?format=csv", file)[1]
    second = who.send("/device-imports?format=csv", file)[1]

    assert (first["counts"]["changed"], second["counts"]["unchanged"]) == (1, 1)
    assert Device.objects.get(pk=light.pk).serial == "SN-7"


@pytest.mark.parametrize(
    ("data", "expected"),
    [(b"", 422), (b"a,b\n1,2\n", 422), (b"PK\x03\x04nonsense", 422), (b"x" * 3_000_000, 413)],
)
def test_files_that_are_none(data: bytes, expected: int) -> None:
    for kind in ("csv", "xlsx"):
        status, _ = Caller(Role.MANAGER).send(f"/device-imports/dry-run?format={kind}", data)

        assert status == expected


def test_more_rows_than_one_import_may_have() -> None:
    file = "设备编号\n" + "".join(f"D-{n}\n" for n in range(501))

    status, answer = Caller().send("/device-imports/dry-run?format=csv", file.encode())

    assert (status, answer["code"], answer["reason"]) == (422, "file_refused", "too_many_rows")


def test_an_export_is_safe_in_a_spreadsheet_and_is_read_again() -> None:
    light = make.device(note="=cmd|' /C calc'!A0", serial="+123")
    placing.settle([light.pk])
    who = Caller(Role.TECHNICIAN)

    answer = who.client.get("/api/v1/device-export.xlsx?lang=zh")
    sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).active
    assert sheet is not None
    row = next(r for r in sheet.iter_rows(min_row=2) if r[0].value == light.code)
    assert [(c.value, c.data_type) for c in row[5:7]] == [
        ("+123", "s"),
        ("=cmd|' /C calc'!A0", "s"),
    ]
    csv = b"".join(who.client.get("/api/v1/device-export.csv?lang=en"))
    assert b"'=cmd" in csv

    Device.objects.filter(pk=light.pk).update(note="plain")
    answer = who.client.get("/api/v1/device-export.xlsx?lang=en")
    status, report = who.send("/device-imports/dry-run?format=xlsx", answer.content)

    assert (status, report["counts"]) == (
        200, {"added": 0, "changed": 0, "unchanged": 1, "refused": 0},
    )  # fmt: skip


def test_inventory_by_filter_and_page() -> None:
    old, new, silent = make.device(), make.device(), make.device()
    DeviceModel.objects.filter(devices=old).update(firmware="2.0")
    for device, firmware in ((old, "1.0"), (new, "2.0")):
        device.meta = {"firmware": firmware, "serial": f"S-{device.code}"}
        device.save()
    who = Caller(Role.TECHNICIAN)

    def codes(query: str) -> list[str]:
        return [row["code"] for row in who.get(f"/device-inventory?{query}")[1]["items"]]

    assert codes("outdated=true") == [old.code]
    assert codes("outdated=false") == [new.code, silent.code]
    assert codes("firmware=2.0") == [new.code]
    assert codes(f"q=s-{old.code.lower()}") == [old.code]
    assert codes(f"space={silent.space.code if silent.space else ''}") == [silent.code]
    assert codes("orphaned=true&status=active&kind=light&convention=wb1") == []
    page = who.get("/device-inventory?limit=2")[1]
    rest = who.get(f"/device-inventory?limit=2&cursor={page['next']}")[1]
    assert [r["code"] for r in page["items"] + rest["items"]] == [
        old.code, new.code, silent.code,
    ]  # fmt: skip
    counts = who.get("/device-firmware")[1]
    assert {(c["firmware"], c["devices"], c["outdated"]) for c in counts} == {
        ("", 1, False), ("1.0", 1, True), ("2.0", 1, False),
    }  # fmt: skip


def test_the_serial_number_and_the_note_are_corrected_with_the_version_seen() -> None:
    light = make.device()
    who, path = Caller(Role.TECHNICIAN), f"/device-inventory/{light.code}"
    body = {"serial": "SN-9", "note": "left lamp"}
    who.get(path)
    seen = who.etag

    assert who.edit(path, body, etag=None)[0] == 428
    status, row = who.edit(path, body, etag=seen)
    assert (status, row["serial"], row["note"]) == (200, "SN-9", "left lamp")
    assert who.edit(path, body, etag=seen)[0] == 412
    assert who.get("/device-inventory/NOBODY")[0] == 404
