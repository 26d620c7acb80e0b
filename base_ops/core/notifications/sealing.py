"""Keeps endpoints' addresses and secrets unreadable in the database and its backups.

AES-256-GCM with a key derived from SECRET_KEY; bound to the row and field, so that no value
stands in for another. Values sealed under SECRET_KEY_FALLBACKS still open.
"""

import base64
import functools
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

_NONCE_BYTES = 12


class Unreadable(ValueError):
    """Sealed under another SECRET_KEY, for another place, or damaged."""


def seal(text: str, *, place: str) -> str:
    """The text as only `opened` with the same place reads it."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    sealed = _cipher(settings.SECRET_KEY).encrypt(nonce, text.encode(), place.encode())
    return base64.b64encode(nonce + sealed).decode()


def opened(sealed: str, *, place: str) -> str:
    """What was sealed.

    Raises:
        Unreadable: it cannot be read.
    """
    raw = base64.b64decode(sealed)
    for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        try:
            plain = _cipher(key).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], place.encode())
        except (InvalidTag, ValueError):
            continue
        return plain.decode()
    raise Unreadable(f"{place}: sealed under another key")


@functools.lru_cache(maxsize=8)
def _cipher(secret_key: str) -> AESGCM:
    kdf = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"base-ops notifications v1")
    return AESGCM(kdf.derive(secret_key.encode()))
