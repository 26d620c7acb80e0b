"""Floods a broker with QoS 1 states of many devices, as fast as it takes them.

python -m benchmarks.flood PORT MESSAGES DEVICES
"""

import asyncio
import sys

from devices.edge import client
from devices.edge.client import Address, Connection
from devices.edge.packets import Login, Message

LINES = 4
WINDOW = 200


async def flood(port: int, messages: int, devices: int) -> None:
    """Send from a few connections, never more than a window ahead of the broker."""
    address = Address("127.0.0.1", port)
    lines = [
        await client.open_connection(address, Login(f"flood{n}"), f"none/{n}", lambda _: None)
        for n in range(LINES)
    ]
    await asyncio.gather(
        *(_send(line, range(n, messages, LINES), devices) for n, line in enumerate(lines))
    )
    for line in lines:
        line.close()


async def _send(line: Connection, numbers: range, devices: int) -> None:
    for n in numbers:
        line.send(message(n, devices))
        while line.unacknowledged >= WINDOW:  # noqa: ASYNC110 - an event would be slower
            await asyncio.sleep(0)
    await line.drained()


def message(n: int, devices: int) -> Message:
    """The n-th state; each device's version grows by one in each round."""
    version, device = divmod(n, devices)
    body = (
        f'{{"v":{version + 1},"session":"b","ts":{1_790_000_000_000 + n},'
        f'"state":{{"power":true,"mode":"cct","brightness":{n % 100},"cct":5600}}}}'
    )
    return Message(f"wb1/d/BENCH-{device:04d}/state", body.encode(), 1)


if __name__ == "__main__":
    asyncio.run(flood(*map(int, sys.argv[1:4])))
