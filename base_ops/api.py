"""All of /api/v1: the apps' routers behind one authentication and one way to refuse."""

from typing import Any

from django.http import HttpRequest
from ninja import NinjaAPI, Router
from ninja.openapi.schema import OpenAPISchema

import billing.api
import booking.api
import devices.api
from base_ops.core import api as core_api
from base_ops.core import auth, openapi, problems, workdays_api
from base_ops.core.notifications import api as notices_api
from base_ops.core.notifications import endpoints_api


class Api(NinjaAPI):
    """ninja's, with a description that leaves nothing out and names fields as they are sent."""

    def add_router(self, prefix: str, router: Router | str, **options: Any) -> None:
        """Take all operations of a router, and of those in it."""
        if isinstance(router, Router):
            openapi.send_by_alias(router)
        super().add_router(prefix, router, **options)

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        """The whole description."""
        schema = super().get_openapi_schema(**options)
        openapi.complete(schema)
        return schema


api = Api(
    title="Livestream base operations",
    version="1",
    description="A booking drives the building, and the building drives the bill.",
    auth=auth.signed_in,
    docs_url=None,
    urls_namespace="api-v1",
)
problems.install(api)
booking.api.install(api)
api.add_router("", core_api.router)
api.add_router("", booking.api.router)  # early: addresses are tried in turn
api.add_router("", workdays_api.router)
api.add_router("", notices_api.router)
api.add_router("", endpoints_api.router)
api.add_router("", devices.api.router)
api.add_router("", billing.api.router)


@api.get("/openapi.json", auth=None, include_in_schema=False)
def description(request: HttpRequest) -> dict[str, object]:
    """This API's own description."""
    return api.get_openapi_schema()
