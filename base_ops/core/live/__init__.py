"""Live topics: what dashboards see, kept in PostgreSQL and announced on commit."""

from base_ops.core.live.publishing import publish, state, tele
from base_ops.core.live.rights import allowed, register

__all__ = ["allowed", "publish", "register", "state", "tele"]
