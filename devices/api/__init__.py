"""The devices endpoints, one module per subject: parse, one call, answer."""

from ninja import Router

from devices.api import alarms, control, telemetry

PARTS = (control, telemetry, alarms)

router = Router(tags=["devices"])
for part in PARTS:
    router.add_router("", part.router)
