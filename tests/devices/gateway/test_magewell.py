"""The HTTP encoder: what is asked byte for byte, logins that run out, refusals."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.domain.gear import magewell as codec
from devices.gateway.driver import Refused, Silent
from devices.gateway.drivers.magewell import Access, Encoder
from devices.gateway.targets import Target, Targets
from tests.devices.gateway.peers import magewell as peer

VECTORS = Path(__file__).parents[2] / "vectors" / "devices" / "native_http_encoder.json"


def encoder(port: int, password: str = "supersecretpassword") -> Encoder:
    targets = Targets({"t1": Target("rtmp://a/b", "k&e=y/1")})
    return Encoder(Access(f"http://127.0.0.1:{port}", "Admin", password, 3, 1.0), targets, {})


@pytest.fixture
async def box() -> AsyncIterator[tuple[peer.Box, Encoder]]:
    """An encoder, and our driver logged in."""
    made = peer.Box()
    with peer.running(made) as port:
        driver = encoder(port)
        await driver.open()
        yield made, driver
        await driver.close()


def test_a_login_is_asked_as_published() -> None:
    (magewell,) = (v for v in json.loads(VECTORS.read_text()) if v["id"] == "magewell_usapi")
    expected = magewell["steps"][0]["expect"]["login"]

    query = codec.login("USER", "secret")

    assert expected == "GET /usapi?method=login&id=USER&pass=MD5"
    # The digest as `printf secret | md5sum` says it.
    digest = "5ebe2294ecd0e0f08eab7690d2a6ee69"
    text = "&".join(f"{key}={value}" for key, value in query.items())
    assert f"GET /usapi?{text}" == expected.replace("MD5", digest)


async def test_it_says_who_it_is(box: tuple[peer.Box, Encoder]) -> None:
    made, driver = box

    reading = await driver.read()

    assert made.asked[0]["method"] == "login"
    assert reading.state["run"] == "stopped"
    assert reading.state["fps"] == 30.0
    assert reading.state["input_locked"] is True
    assert reading.metrics == {"temp_c": 61.1}


async def test_a_login_that_ran_out_is_renewed_once(box: tuple[peer.Box, Encoder]) -> None:
    made, driver = box
    made.sessions.clear()  # the encoder was restarted

    await driver.apply({"run": "live"})

    assert made.living
    assert made.logins == 2


async def test_a_login_that_is_not_believed_fails_and_is_not_tried_for_ever(
    box: tuple[peer.Box, Encoder],
) -> None:
    made, driver = box
    made.refuses["start-live"] = -17

    with pytest.raises(Refused, match="magewell_-17"):
        await driver.apply({"run": "live"})

    assert made.logins == 2
    assert [q["method"] for q in made.asked].count("start-live") == 2


async def test_a_refusal_carries_its_own_number(box: tuple[peer.Box, Encoder]) -> None:
    made, driver = box
    made.refuses["start-live"] = -35  # no signal

    with pytest.raises(Refused, match="magewell_-35"):
        await driver.apply({"run": "live"})


async def test_a_repeated_order_is_no_error(box: tuple[peer.Box, Encoder]) -> None:
    made, driver = box
    made.refuses["stop-live"] = 1

    await driver.apply({"run": "stopped"})


async def test_what_is_not_wished_stays_as_it_was(box: tuple[peer.Box, Encoder]) -> None:
    made, driver = box
    before = dict(made.main)
    await driver.read()

    await driver.apply({"kbps": 8000})

    assert made.main == before | {"kbps": 8000, "is-auto": 0}


async def test_a_key_with_any_characters_arrives_whole(box: tuple[peer.Box, Encoder]) -> None:
    made, driver = box

    await driver.apply({"target_ref": "t1"})

    assert (made.server["url"], made.server["key"]) == ("rtmp://a/b", "k&e=y/1")
    assert (await driver.read()).state["target_ref"] == "t1"


@pytest.mark.parametrize(("result", "run"), [(22, "live"), (23, "starting"), (30, "error")])
async def test_living_is_live_only_once_it_is_connected(
    result: int, run: str, box: tuple[peer.Box, Encoder]
) -> None:
    made, driver = box
    made.result = result
    await driver.apply({"run": "live"})

    assert (await driver.read()).state["run"] == run


async def test_a_wrong_password_is_a_silent_gear_that_says_why() -> None:
    with peer.running(peer.Box()) as port:
        driver = encoder(port, "wrong")
        with pytest.raises(Silent, match="does not take our password"):
            await driver.open()
        await driver.close()


async def test_no_error_shows_the_key() -> None:
    targets = Targets({"t1": Target("rtmp://a/b", "very-secret")})
    driver = Encoder(Access("http://127.0.0.1:9", "Admin", "pw", 3, 0.2), targets, {})

    with pytest.raises(Silent) as failure:
        await driver.open()
    await driver.close()

    assert "pw" not in str(failure.value)
    assert "very-secret" not in repr(targets.find("t1"))


@given(st.binary(max_size=100), st.dictionaries(st.text(), st.integers() | st.text()))
def test_any_answer_is_read_or_refused(body: bytes, said: dict[str, int | str]) -> None:
    for answer in (body, json.dumps({"result": 0, **said}).encode()):
        try:
            read = codec.read(answer)
        except codec.BadAnswer:
            continue
        assert isinstance(codec.destinations(read), list)
        assert isinstance(codec.picture(read), dict)
