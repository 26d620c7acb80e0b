"""An MQTT 5 broker on 127.0.0.1: mosquitto where it is on PATH, else rumqttd from `iotcore`.

Run as a program (`python -m base_ops.embedded.broker FILE`) it is rumqttd with that configuration.
Neither asks who connects: they listen to this machine only. deploy/ has the broker of a real base.
"""

import logging
import os
import shutil
import socket
import sys
from pathlib import Path

from base_ops.embedded import accounts

MAX_PACKET_BYTES = 4 * 1024 * 1024
_HOST = "127.0.0.1"
_MOSQUITTO = """\
listener {port} {host}
allow_anonymous true
max_packet_size {max_bytes}
max_queued_messages 100000
max_inflight_messages 1000
persistence true
persistence_location {folder}/
autosave_interval 10
log_dest stderr
log_type error
log_type warning
"""
# MQTT 5 only: a 3.1.1 listener drops subscribers when a version 5 sender uses properties. The
# packet counts let a burst of a thousand retained messages through.
_RUMQTTD = """\
id = 0
[router]
id = 0
max_connections = 5000
max_outgoing_packet_count = 20000
max_segment_size = 104857600
max_segment_count = 10
[v5.1]
name = "v5-1"
listen = "{host}:{port}"
next_connection_delay_ms = 0
[v5.1.connections]
connection_timeout_ms = 5000
max_payload_size = {max_bytes}
max_inflight_count = 1000
dynamic_filters = true
"""


def command(folder: Path, port: int) -> list[str]:
    """Write the configuration below `folder`; returns the argv of a broker on that port."""
    mosquitto = _mosquitto()
    text = (_MOSQUITTO if mosquitto else _RUMQTTD).format(
        host=_HOST, port=port, folder=folder.resolve(), max_bytes=MAX_PACKET_BYTES
    )
    file = folder / ("mosquitto.conf" if mosquitto else "rumqttd.toml")
    file.write_text(text)
    if mosquitto:
        # As root it would drop to an account that cannot reach our folder.
        file.write_text(text + f"user {accounts.ours().name}\n")
        return [mosquitto, "-c", str(file.resolve())]
    return [sys.executable, "-m", "base_ops.embedded.broker", str(file.resolve())]


def _mosquitto() -> str | None:
    """Where mosquitto is, when it is to be used: BASE_OPS_BROKER says auto, mosquitto or rumqttd.

    Raises:
        ValueError: another word, or mosquitto is wanted and not on PATH.
    """
    wanted = os.environ.get("BASE_OPS_BROKER", "auto")
    if wanted not in ("auto", "mosquitto", "rumqttd"):
        raise ValueError("BASE_OPS_BROKER: auto, mosquitto or rumqttd")
    found = None if wanted == "rumqttd" else shutil.which("mosquitto")
    if wanted == "mosquitto" and found is None:
        raise ValueError("BASE_OPS_BROKER: mosquitto is not on PATH")
    return found


def answers(port: int) -> bool:
    """Whether something listens on that port."""
    try:
        with socket.create_connection((_HOST, port), timeout=0.2):
            return True
    except OSError:
        return False


def main() -> None:
    """Be the broker until killed: rumqttd keeps nothing that would need an orderly end."""
    from iotcore.iotcore import IotCoreBroker  # only installed where there is no mosquitto

    # rumqttd says each connection that ends, and every packet's span, as an error.
    logging.getLogger("rumqttd").setLevel(logging.CRITICAL)
    IotCoreBroker(config_path=sys.argv[1]).run_forever()


if __name__ == "__main__":
    main()
