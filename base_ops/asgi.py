"""The application behind one address: HTTP to Django in threads, sockets to Channels."""

import os

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver, path, re_path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "base_ops.settings")
_django = get_wsgi_application()
_ = get_resolver().url_patterns  # imported now rather than by the first request

from base_ops.core import consumers  # noqa: E402 - needs Django set up
from base_ops.web.alive import Alive  # noqa: E402
from base_ops.web.static import with_frontend  # noqa: E402
from base_ops.web.wsgi import WsgiInThreads  # noqa: E402

http = WsgiInThreads(with_frontend(_django))
application = ProtocolTypeRouter(
    {
        "http": Alive(http),
        "websocket": URLRouter(
            [
                path("ws/v1/live", consumers.LiveConsumer.as_asgi()),
                re_path("", consumers.nothing_here),  # type: ignore[arg-type] # ASGI, not a view
            ]
        ),
    }
)
