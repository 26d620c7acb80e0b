"""MQTT 5 packets as bytes, checked against the broker elsewhere and against paho's reader here."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.edge import packets
from devices.edge.packets import Frames, Login, Message, ProtocolError


def test_a_connect_with_a_will_is_the_bytes_of_the_standard() -> None:
    will = Message("a/w", b"off", 1, retain=True)

    assert packets.connect(Login("id", "u", "p", 60, will)).hex() == (
        "1020"  # CONNECT, 32 bytes
        "00044d515454"  # "MQTT"
        "05ee003c00"  # version 5, flags, keep alive 60, no properties
        "00026964"  # client id
        "00"
        "0003612f77"
        "00036f6666"  # will: no properties, topic, payload
        "000175"
        "000170"  # user, password
    )


@given(st.lists(st.binary(max_size=300), max_size=8), st.integers(1, 7))
def test_frames_do_not_depend_on_how_the_stream_is_cut(bodies: list[bytes], cut: int) -> None:
    sent = [Message(f"t/{i}", body) for i, body in enumerate(bodies)]
    stream = b"".join(map(packets.publish, sent))
    frames, got = Frames(), list[Message]()

    for at in range(0, len(stream), cut):
        got += [packets.read_publish(*frame) for frame in frames.feed(stream[at : at + cut])]

    assert got == sent


def test_reads_the_properties_of_a_command() -> None:
    properties = bytes.fromhex("020000000a080003612f620900014326000161000162")
    body = b"\x00\x01t\x00\x07" + bytes((len(properties),)) + properties + b"{}"

    message = packets.read_publish(0x32, body)

    assert message == Message("t", b"{}", 1, False, 7, False, "a/b", b"C")


@given(st.binary(max_size=60), st.integers(0x30, 0x3F))
def test_a_broken_publish_is_a_protocol_error_and_nothing_else(body: bytes, first: int) -> None:
    try:
        packets.read_publish(first, body)
    except ProtocolError:
        return


def test_an_endless_length_and_a_giant_packet_are_refused() -> None:
    with pytest.raises(ProtocolError):
        list(Frames().feed(b"\x30\xff\xff\xff\xff\x7f"))
    with pytest.raises(ProtocolError):
        list(Frames().feed(b"\x30\xff\xff\xff\x7f"))
