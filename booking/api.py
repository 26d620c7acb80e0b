"""The booking endpoints."""

from ninja import Router

router = Router(tags=["booking"])
