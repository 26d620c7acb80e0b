"""obs-websocket 5: our test OBS to a client that we did not write, and our driver's edges."""

from collections.abc import AsyncIterator

import pytest
import simpleobsws
from hypothesis import given
from hypothesis import strategies as st

from devices.domain.gear import obs as codec
from devices.gateway.driver import Refused, Silent
from devices.gateway.drivers.obs import Access, Encoder
from devices.gateway.targets import Target, Targets
from tests.devices.gateway.peers import obs as peer


def encoder(port: int, password: str = peer.PASSWORD) -> Encoder:
    targets = Targets({"t1": Target("rtmp://a/b", "k")})
    return Encoder(Access(f"ws://127.0.0.1:{port}", password, 0.5), targets, {})


@pytest.fixture
async def studio() -> AsyncIterator[tuple[peer.Studio, Encoder]]:
    """An OBS, and our driver logged in."""
    made = peer.Studio()
    driver = encoder(await peer.start(made))
    await driver.open()
    yield made, driver
    await driver.close()


def test_the_answer_to_the_documents_own_challenge() -> None:
    assert (
        codec.authentication(peer.PASSWORD, salt=peer.SALT, challenge=peer.CHALLENGE)
        == peer.ANSWER
    )


async def test_a_foreign_client_logs_into_our_test_obs_and_uses_it() -> None:
    studio = peer.Studio()
    port = await peer.start(studio)
    client = simpleobsws.WebSocketClient(f"ws://127.0.0.1:{port}", peer.PASSWORD)
    heard: list[object] = []

    async def note(kind: str, data: object) -> None:
        heard.append((kind, data))

    client.register_event_callback(note)
    await client.connect()
    assert await client.wait_until_identified()

    version = await client.call(simpleobsws.Request("GetVersion"))
    started = await client.call(simpleobsws.Request("StartStream"))
    again = await client.call(simpleobsws.Request("StartStream"))
    status = await client.call(simpleobsws.Request("GetStreamStatus"))
    await client.disconnect()

    assert version.responseData["obsVersion"] == "30.2.3"
    assert (started.ok(), again.ok()) == (True, False)
    assert again.requestStatus.code == codec.OUTPUT_RUNNING
    assert codec.stream(status.responseData).active
    assert heard


async def test_a_wrong_password_is_a_silent_gear_that_says_why() -> None:
    port = await peer.start(peer.Studio())
    driver = encoder(port, "wrong")

    with pytest.raises(Silent, match="does not take our password"):
        await driver.open()
    await driver.close()


async def test_without_a_password_none_is_sent() -> None:
    driver = encoder(await peer.start(peer.Studio(password="")))

    facts = await driver.open()

    assert facts.firmware == "30.2.3"
    await driver.close()


async def test_an_event_wakes_the_gateway_at_once(
    studio: tuple[peer.Studio, Encoder],
) -> None:
    made, driver = studio

    made.active = True
    await made.tell("STARTED")
    await driver.changed.wait()

    assert (await driver.read()).state["run"] == "live"


async def test_starting_is_not_live_before_it_is(studio: tuple[peer.Studio, Encoder]) -> None:
    made, driver = studio
    made.starts = False  # the platform does not answer

    await driver.apply({"run": "live"})
    await driver.changed.wait()

    assert (await driver.read()).state["run"] == "starting"


async def test_absolute_orders_may_be_repeated(studio: tuple[peer.Studio, Encoder]) -> None:
    made, driver = studio

    for _ in range(2):
        await driver.apply({"run": "live"})
    was = made.active
    for _ in range(2):
        await driver.apply({"run": "stopped"})

    assert (was, made.active) == (True, False)


async def test_the_picture_of_a_running_stream_is_not_changed(
    studio: tuple[peer.Studio, Encoder],
) -> None:
    _, driver = studio
    await driver.apply({"run": "live"})

    with pytest.raises(Refused, match="obs_500"):
        await driver.apply({"w": 640})


async def test_a_target_set_by_hand_is_not_called_ours(
    studio: tuple[peer.Studio, Encoder],
) -> None:
    made, driver = studio
    await driver.apply({"target_ref": "t1"})
    ours = (await driver.read()).state["target_ref"]

    made.service = {"server": "rtmp://elsewhere", "key": "x"}

    assert (ours, (await driver.read()).state["target_ref"]) == ("t1", "unknown")


async def test_obs_that_quits_or_falls_deaf_is_silent(
    studio: tuple[peer.Studio, Encoder],
) -> None:
    made, driver = studio

    made.deaf = True
    with pytest.raises(Silent):
        await driver.read()
    made.deaf = False
    await peer.hang_up(made)
    with pytest.raises(Silent):
        await driver.read()


@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(lambda t: f'{{"op":{t}')))
def test_any_frame_is_read_or_refused(frame: bytes | str) -> None:
    try:
        codec.decode(frame)
    except codec.BadFrame:
        return
