"""The devices endpoints, one module per subject: parse, one call, answer."""

from ninja import Router

from devices.api import alarms, control, telemetry, usage

PARTS = (control, telemetry, usage, alarms)

router = Router(tags=["devices"])
for part in PARTS:
    router.add_router("", part.router)
