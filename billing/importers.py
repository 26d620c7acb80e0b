"""Load tariffs, surge days, services, policies and proofs from the data file; all or nothing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import transaction

from base_ops.core import clock
from base_ops.core.errors import FieldFault, Invalid
from base_ops.core.models import Tenant
from billing.domain.catalog import PriceBook, Tariff
from billing.domain.reading import FIRST_DAY, BookFaults, read_book
from billing.models import (
    Budget,
    Evidence,
    PolicyRow,
    PriceBookVersion,
    ServiceRow,
    SurgeRow,
    TariffRow,
    TermsRow,
    TimeBandRow,
    VatRateRow,
)

LAST_DAY = date(2099, 12, 31)


class DataRefused(Invalid):
    """The data file has faults; `fields` lists all of them, and nothing was loaded."""

    code, title_zh, title_en = "data_refused", "数据文件有误", "The data file has faults"


@dataclass(frozen=True, slots=True)
class Proof:
    """Evidence in the data file, by tenant code."""

    tenant: str
    key: str
    value: str
    document_zh: str


def load(data: Mapping[str, Any]) -> PriceBook:
    """Load the price book and the tenants' proofs; loading the same again changes nothing.

    Raises:
        DataRefused: something is wrong; every fault is listed and nothing is loaded.
    """
    try:
        book = read_book(data)
    except BookFaults as exc:
        raise _refused(exc.faults) from exc
    with transaction.atomic():
        proofs = list(_proofs(data))
        tenants = dict(Tenant.objects.values_list("code", "pk"))
        faults = [f"{p.key}: no tenant {p.tenant}" for p in proofs if p.tenant not in tenants]
        faults += _rewritten_policies(data) + _only_in_lists(book)
        if faults:
            raise _refused(faults)
        _save_proofs(proofs, tenants)
        version, fresh = PriceBookVersion.objects.select_for_update().get_or_create(
            pk=1, defaults={"loaded_at": clock.now(), "fingerprint": ""}
        )
        if fresh or version.fingerprint != book.version:
            _save(book, data)
            version.advance()
            version.fingerprint, version.loaded_at = book.version, clock.now()
            version.save()
            TermsRow.objects.get_or_create(
                fingerprint=book.version,
                defaults={"terms": book.terms.as_json(), "loaded_at": version.loaded_at},
            )
    return book


def _refused(faults: tuple[str, ...] | list[str]) -> DataRefused:
    fields = [FieldFault(f.partition(":")[0], f, f) for f in faults]
    return DataRefused("; ".join(faults), fields=fields)


def _rewritten_policies(data: Mapping[str, Any]) -> list[str]:
    """A version that was loaded once may not say something else later."""
    known = {(p.code, p.version): p.data for p in PolicyRow.objects.all()}
    return [
        f"policies: {p['code']} v{p['version']} is loaded with other terms; raise its version"
        for p in data["policies"]
        if known.get((p["code"], p["version"]), p) != p
    ]


def _only_in_lists(book: PriceBook) -> list[str]:
    """What the rows of the data file's book have no place for."""
    by_day = [code for code, tariff in book.tariffs.items() if tariff.by_day]
    modelled = [code for code, service in book.services.items() if service.model]
    told = {"tariffs": by_day, "services": modelled}
    told["day_prices"] = [price.code for price in book.day_prices]
    return [
        f"{part}: {', '.join(codes)}: only price lists have prices by kind of day and price models"
        for part, codes in told.items()
        if codes
    ]


def _proofs(data: Mapping[str, Any]) -> Iterator[Proof]:
    """What the demo tenants have proven: agreements of universities, filed programmes."""
    for tenant in data.get("tenants", ()):
        if tenant.get("category") == "university":
            yield Proof(tenant["code"], "agreement", "", "共建协议（示例）")
    for programme in data.get("training_programmes", ()):
        name = f"开班备案：{programme['name_zh']}"
        yield Proof(programme["host"], "programme_filed", programme["code"], name)
        if programme.get("public"):
            yield Proof(programme["host"], "approval", "P05", "公益活动方案（示例）")


def _save_proofs(proofs: list[Proof], tenants: Mapping[str, int]) -> None:
    Evidence.objects.bulk_create(
        (
            Evidence(
                tenant_id=tenants[p.tenant],
                key=p.key,
                value=p.value,
                document_zh=p.document_zh[:160],
                valid_from=FIRST_DAY,
                valid_to=LAST_DAY,
            )
            for p in proofs
        ),
        ignore_conflicts=True,
    )


def _save(book: PriceBook, data: Mapping[str, Any]) -> None:
    """Replace what has no history here; add versions of what has."""
    for model in (TimeBandRow, SurgeRow, ServiceRow, VatRateRow):
        model.objects.all().delete()
    TimeBandRow.objects.bulk_create(
        TimeBandRow(
            code=b.code, name_zh=b.name_zh, name_en=b.name_en, from_min=b.from_min, to_min=b.to_min
        )
        for b in book.bands
    )
    SurgeRow.objects.bulk_create(
        SurgeRow(
            code=s.code,
            name_zh=s.name_zh,
            name_en=s.name_en,
            from_md=f"{s.first[0]:02d}-{s.first[1]:02d}",
            to_md=f"{s.last[0]:02d}-{s.last[1]:02d}",
            multiplier=s.multiplier,
            bands=sorted(s.bands),
        )
        for s in book.surges
    )
    notes = {row["code"]: str(row["price"]) for row in data["services"]}
    ServiceRow.objects.bulk_create(
        ServiceRow(
            code=s.code,
            position=place,
            name_zh=s.name_zh,
            name_en=s.name_en,
            unit=s.unit,
            price_fen=s.price_fen,
            price_note="" if s.price_fen is not None else notes[s.code],
            vat_category=s.vat_category,
        )
        for place, s in enumerate(book.services.values())
    )
    VatRateRow.objects.bulk_create(
        VatRateRow(category=r.category, valid_from=r.valid_from, rate=r.rate)
        for r in book.vat_rates
    )
    _save_tariffs(book, data)
    _save_policies(book, data)


def _save_tariffs(book: PriceBook, data: Mapping[str, Any]) -> None:
    """A tariff that changed gets a new version; the old stays."""
    notes = {row["code"]: row.get("includes_zh") or "" for row in data["tariffs"]}
    latest = {row.code: row for row in TariffRow.objects.order_by("version")}
    for place, tariff in enumerate(book.tariffs.values()):
        terms = _terms(tariff) | {"includes_zh": notes[tariff.code], "position": place}
        row = latest.get(tariff.code)
        if row is None or any(getattr(row, k) != v for k, v in terms.items()):
            version = row.version + 1 if row else 1
            TariffRow.objects.create(code=tariff.code, version=version, **terms)


def _terms(tariff: Tariff) -> dict[str, Any]:
    return {
        "name_zh": tariff.name_zh,
        "hourly_fen": dict(tariff.hourly_fen),
        "session_fen": dict(tariff.session_fen),
        "monthly_per_m2_fen": tariff.monthly_per_m2_fen,
        "unit": tariff.unit,
        "unit_period": tariff.unit_period,
        "unit_price_fen": tariff.unit_price_fen,
        "included_wh_per_hour": tariff.included_wh_per_hour,
        "vat_hourly": tariff.vat_hourly,
        "vat_monthly": tariff.vat_monthly,
    }


def _save_policies(book: PriceBook, data: Mapping[str, Any]) -> None:
    sources = {(row["code"], row["version"]): row for row in data["policies"]}
    loaded = set(PolicyRow.objects.values_list("code", "version"))
    PolicyRow.objects.bulk_create(
        (
            PolicyRow(
                code=p.code,
                version=p.version,
                kind=p.kind,
                name_zh=p.name_zh,
                name_en=p.name_en,
                label_zh=p.label_zh,
                label_en=p.label_en,
                funding=p.funding,
                valid_from=p.valid_from,
                valid_to=p.valid_to,
                data=sources[p.code, p.version],
            )
            for p in book.policies
        ),
        ignore_conflicts=True,
    )
    for policy in book.policies:
        # A limit that people set since stays, until the file brings another version.
        fresh = (policy.code, policy.version) not in loaded
        if policy.budget_year_fen is not None and fresh:
            for year in range(policy.valid_from.year, policy.valid_to.year + 1):
                Budget.objects.update_or_create(
                    policy_code=policy.code,
                    year=year,
                    defaults={"limit_fen": policy.budget_year_fen},
                )
