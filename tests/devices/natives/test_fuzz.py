"""Whatever a device or an attacker sends: a refusal of the closed set, or something we can keep.

BASE_OPS_FUZZ_MESSAGES says how many messages each convention gets (4,000 by default).
"""

import json
import os
from math import isfinite
from typing import get_args

import pytest

from devices.domain import messages
from devices.domain.capabilities import BadState, NotControllable
from devices.domain.conventions.plain import is_clean, is_plain, is_plain_object
from devices.domain.conventions.refusal import Reason
from devices.domain.shadow import Link
from tests.devices.natives.fuzz import Mangler
from tests.devices.natives.rig import Rig
from tests.devices.natives.samples import SAMPLES, Sample

MESSAGES = int(os.environ.get("BASE_OPS_FUZZ_MESSAGES", "4000"))
EVERY = 500  # then it must work as on the first day
MEMORY_BYTES = 64 * 1024


@pytest.mark.parametrize("name", SAMPLES)
def test_no_message_breaks_a_convention_and_the_next_good_one_is_understood(name: str) -> None:
    sample = SAMPLES[name]
    rig = Rig(sample.convention)
    mangler = Mangler(20260302, sample.messages)
    refused = 0

    for at in range(MESSAGES):
        if at % EVERY == 0:
            _works(rig, sample)
        topic, payload, retained = mangler.message()
        rig.recv(topic, payload, retained=retained)  # anything but a CodecError escapes
        refused += bool(rig.refused)
        _keepable(rig)
        if at % 20 == 0:
            _ask(rig, sample.key, mangler)

    _works(rig, sample)
    assert 0.05 < refused / MESSAGES < 0.98  # neither all nothing nor all garbage


@pytest.mark.parametrize("name", SAMPLES)
def test_whatever_is_asked_is_refused_with_a_field_or_sent_in_absolute_values(name: str) -> None:
    sample = SAMPLES[name]
    rig = Rig(sample.convention)
    _works(rig, sample)
    mangler = Mangler(7, sample.messages)
    sent, faults = 0, []

    for _ in range(MESSAGES // 4):
        table = rig.bindings[sample.key].capabilities
        command = rig.outgoing(mangler.wish(table), key=sample.key)
        try:
            published = rig.publish(command)
        except NotControllable:
            continue
        except BadState as refused:
            faults += [fault.name for fault in refused.fields] or [""]
            continue
        sent += 1
        for message in published:
            assert not message.topic.startswith(("wb1/", "$"))
            assert not {"+", "#", "\x00"} & set(message.topic)
            assert b"toggle" not in message.payload.lower()
            assert len(message.payload) < 2048
        assert rig.observed(command) in (True, False, None)
        assert is_plain(rig.memories[sample.key])

    assert sent > MESSAGES // 40
    assert faults
    assert "" not in faults


def _ask(rig: Rig, key: str, mangler: Mangler) -> None:
    """What was asked is compared with all that follows."""
    if (binding := rig.bindings.get(key)) is None or not binding.capabilities:
        return
    command = rig.outgoing(mangler.wish(binding.capabilities), key=key)
    try:
        rig.publish(command)
    except BadState:
        return
    assert rig.observed(command) in (True, False, None)


def _works(rig: Rig, sample: Sample) -> None:
    """Announced anew, it says its state and is understood."""
    for topic, payload in sample.announced:
        rig.recv(topic, payload)
    memory = rig.memories[sample.key]  # what was asked is not what it says of itself
    rig.memories[sample.key] = {k: v for k, v in memory.items() if k != "asked"}
    for topic, payload in sample.said:
        rig.recv(topic, payload)
        assert not rig.refused, (topic, payload, rig.refused)
    assert rig.link(sample.key) is Link.ONLINE
    state = rig.state(sample.key)
    assert {key: state.get(key) for key in sample.state} == sample.state


def _keepable(rig: Rig) -> None:
    for refusal in rig.refused:
        assert refusal.reason in get_args(Reason)
    for heard in rig.heard:
        assert is_plain(heard.memory)
        assert len(json.dumps(heard.memory)) < MEMORY_BYTES
        for message in heard.said:
            _sound(message)


def _sound(message: messages.Incoming) -> None:
    match message:
        case messages.State():
            assert is_plain_object(message.state)
            assert 0 <= message.v < 2**31
            assert 0 < len(message.session) <= 64
        case messages.Status():
            assert 0 < len(message.session) <= 64
        case messages.Tele():
            assert message.metrics
            for name, value in message.metrics.items():
                assert 0 < len(name) <= 64
                assert is_clean(name)
                assert isfinite(value)
        case messages.Event():
            assert 0 < len(message.name) <= 64
            assert is_plain_object(message.data)
        case messages.Ack():
            assert 0 < len(message.command_id) <= 80
            assert is_clean(message.command_id)
        case messages.Meta():
            raise AssertionError("what a device is comes from its announcement")
