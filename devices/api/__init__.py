"""The devices endpoints, one module per subject: parse, one call, answer."""

from ninja import Router

from devices.api import (
    accounts,
    adoption,
    alarm_rules,
    alarms,
    announcements,
    control,
    models,
    overrides,
    places,
    registry,
    stock,
    telemetry,
    testing,
    usage,
    vault,
    windows,
)

PARTS = (
    control, telemetry, usage, alarm_rules, alarms, registry, models, adoption, places, windows,
    testing, stock, announcements, accounts, overrides, vault,
)  # fmt: skip

router = Router(tags=["devices"])
for part in PARTS:
    router.add_router("", part.router)
