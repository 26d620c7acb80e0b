"""How messages prove where they come from.

Webhooks follow Standard Webhooks 1.0.0 (symmetric, `v1`): the base64 of HMAC-SHA256 over
`id.timestamp.body`, keyed with the bytes that `whsec_…` holds in base64. While a secret is being
replaced there is one signature per valid secret, separated by spaces. A receiver should refuse
timestamps more than five minutes from its own clock, and ids it has seen within that time: the id
stays the same when a message is sent again, the timestamp does not.

DingTalk signs `timestamp + "\\n" + secret` with the secret itself and puts both into the address.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence

PREFIX = "whsec_"
SECRET_BYTES = 32
REPLAY_WINDOW_S = 300


def new_secret() -> str:
    """A new webhook secret."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def webhook_headers(
    *, message_id: str, timestamp: int, body: bytes, secrets_valid: Sequence[str]
) -> dict[str, str]:
    """The three headers of Standard Webhooks.

    Raises:
        ValueError: no secret, or an id with a full stop in it.
    """
    if not secrets_valid or "." in message_id:
        raise ValueError("a message needs a secret and an id without a full stop")
    signed = f"{message_id}.{timestamp}.".encode() + body
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{_mac(_key(s), signed)}" for s in secrets_valid),
    }


def _key(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix(PREFIX))


def _mac(key: bytes, content: bytes) -> str:
    return base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()


def dingtalk_query(secret: str, *, timestamp_ms: int) -> dict[str, str]:
    """What is added to the robot's address; valid for an hour."""
    content = f"{timestamp_ms}\n{secret}".encode()
    return {"timestamp": str(timestamp_ms), "sign": _mac(secret.encode(), content)}
