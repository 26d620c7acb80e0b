"""Loading the data file: idempotent, versioned, all or nothing."""

from typing import Any

import pytest

from billing import importers, selectors
from billing.models import Budget, Evidence, PolicyRow, PriceBookVersion, TariffRow, TimeBandRow
from tests import make
from tests.billing.data import book, demo

pytestmark = pytest.mark.django_db


def data(**changes: Any) -> dict[str, Any]:
    return {**demo(), "tenants": [], "training_programmes": []} | changes


def counts() -> list[int]:
    models = (TariffRow, PolicyRow, TimeBandRow, Budget, Evidence)
    return [model.objects.count() for model in models]


def test_what_is_loaded_is_what_the_file_says() -> None:
    importers.load(data())

    loaded = selectors.price_book()

    assert loaded.tariffs == book().tariffs
    assert {p.code: p for p in loaded.policies} == {p.code: p for p in book().policies}
    assert (loaded.bands, loaded.surges) == (
        book().bands,
        tuple(sorted(book().surges, key=lambda s: s.code)),
    )
    assert loaded.services == book().services


def test_loading_again_changes_nothing() -> None:
    importers.load(data())
    before, serial = counts(), PriceBookVersion.objects.get().serial

    importers.load(data())

    assert (counts(), PriceBookVersion.objects.get().serial) == (before, serial)
    assert before[:4] == [21, 17, 3, 6]


def test_a_changed_price_becomes_a_new_version_and_is_read_at_once() -> None:
    importers.load(data())
    first = {**demo()["tariffs"][0]}
    first["hourly"] = first["hourly"] | {"prime": "95.00"}

    importers.load(data(tariffs=[first, *demo()["tariffs"][1:]]))

    tariff = selectors.price_book().tariff("TF-SINGLE")
    assert (tariff.version, tariff.hourly_fen["prime"]) == (2, 9500)
    assert TariffRow.objects.filter(code="TF-SINGLE").count() == 2


def test_a_policy_version_cannot_be_rewritten() -> None:
    importers.load(data())
    changed = [{**p, "apply_order": 99} for p in demo()["policies"]]

    with pytest.raises(importers.DataRefused) as caught:
        importers.load(data(policies=changed))

    assert len(caught.value.fields) == 17
    assert selectors.price_book().policies


def test_a_newer_policy_version_ends_the_older() -> None:
    importers.load(data())
    newer = {**demo()["policies"][12], "version": 2, "valid_from": "2027-01-01"}
    newer["benefit"] = {"pct": "8"}

    importers.load(data(policies=[*demo()["policies"], newer]))

    found = {p.version: p for p in selectors.price_book().policies if p.code == "P13"}
    assert found[1].valid_to.isoformat() == "2026-12-31"
    assert (found[2].pct_bp, found[2].valid_to.isoformat()) == (800, "2027-12-31")


def test_nothing_is_loaded_when_anything_is_wrong() -> None:
    broken = data(
        services=[{"code": "SV-X"}],
        tariffs=[*demo()["tariffs"], demo()["tariffs"][0]],
    )

    with pytest.raises(importers.DataRefused) as caught:
        importers.load(broken)

    assert len(caught.value.fields) == 2
    assert counts() == [0, 0, 0, 0, 0]


def test_proofs_need_their_tenants() -> None:
    with pytest.raises(importers.DataRefused, match="no tenant T035"):
        importers.load(data(tenants=[t for t in demo()["tenants"] if t["code"] == "T035"]))

    make.tenant(code="T035", category="university")
    importers.load(data(tenants=[t for t in demo()["tenants"] if t["code"] == "T035"]))

    assert Evidence.objects.get().key == "agreement"
