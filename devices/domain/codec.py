"""Bytes from a broker become messages, and commands become bytes; a convention does each.

Pure. Whatever the bytes are, the only exception is CodecError, and its reason is of a closed set:
it labels a metric.
"""

from devices.domain import messages
from devices.domain.conventions import wb1
from devices.domain.conventions.refusal import CodecError, Reason
from devices.domain.conventions.wire import Published

__all__ = ["MAX_BYTES", "TOPICS", "CodecError", "Published", "Reason", "decode", "encode"]

MAX_BYTES = 64 * 1024
# Everything under our own root, so that garbage and foreign commands are seen and counted too.
TOPICS = (f"{wb1.ROOT}/#",)


def decode(topic: str, payload: bytes, *, retained: bool = False) -> messages.Incoming:
    """Read one message.

    Raises:
        CodecError: and nothing else, whatever topic and payload are.
    """
    if len(payload) > MAX_BYTES:
        raise CodecError("too-long")
    if topic.startswith(f"{wb1.ROOT}/"):
        return wb1.decode(topic, payload, retained=retained)
    raise CodecError("unknown-topic")


def encode(command: messages.Outgoing) -> Published:
    """The message that tells a device to do something. Every device so far speaks wb1."""
    return wb1.encode(command)
