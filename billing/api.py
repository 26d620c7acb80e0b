"""The billing endpoints."""

from ninja import Router

router = Router(tags=["billing"])
