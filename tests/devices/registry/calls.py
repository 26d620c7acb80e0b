"""Somebody with a token who looks, acts and edits."""

import itertools
import json
from datetime import datetime
from typing import Any

from django.test import Client

from base_ops.core import auth, clock
from base_ops.core.models import Role, User
from devices.domain.messages import Meta
from devices.services import announce, quarantine
from tests import make

_keys = itertools.count(1)


class Caller:
    """Sends requests with a token of their own."""

    def __init__(self, role: Role = Role.MANAGER, user: User | None = None) -> None:
        self.user = user or make.user(role)
        token, _ = auth.new_token(user=self.user, name="test", now=clock.now())
        self.client = Client(headers={"Authorization": f"Bearer {token}"})
        self.etag = ""

    def get(self, path: str) -> tuple[int, Any]:
        answer = self.client.get(f"/api/v1{path}")
        self.etag = answer.headers.get("ETag", "")
        return answer.status_code, json.loads(answer.content)

    def post(self, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        given = {"Idempotency-Key": f"registry-{next(_keys):06d}"} | headers
        answer = self.client.post(
            f"/api/v1{path}",
            data=json.dumps(body if body is not None else {}),
            content_type="application/json",
            headers=given,
        )
        return answer.status_code, json.loads(answer.content)

    def edit(self, path: str, body: Any, *, etag: str | None, verb: str = "put") -> Any:
        headers = {} if etag is None else {"If-Match": etag}
        answer = getattr(self.client, verb)(
            f"/api/v1{path}",
            data=json.dumps(body),
            content_type="application/json",
            headers=headers,
        )
        return answer.status_code, json.loads(answer.content)

    def send(self, path: str, data: bytes) -> tuple[int, Any]:
        """A file as the body."""
        answer = self.client.post(
            f"/api/v1{path}",
            data=data,
            content_type="application/octet-stream",
            headers={"Idempotency-Key": f"registry-{next(_keys):06d}"},
        )
        return answer.status_code, json.loads(answer.content)


def stranger(code: str, now: datetime, kind: str = "light") -> None:
    """Somebody knocks and is let in."""
    changes = announce.Changes()
    metas = [Meta(code, kind, "LT-KEY-160", "1.0", "SN1")]
    assert quarantine.admit(quarantine.strangers_of(metas), now=now, changes=changes) == 1
