"""Words, audiences, quiet hours, pacing and signatures: worked examples, then properties."""

import base64
import hashlib
import hmac
import unicodedata
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from base_ops.core.notifications import (
    audiences,
    cleaning,
    pacing,
    quiet,
    signatures,
    templates,
    wishes,
)

NOON = datetime(2026, 9, 15, 4, 0, tzinfo=UTC)  # 12:00 in Guangzhou
ALL = sorted(templates.known())
HOSTILE = (
    "<script>alert(1)</script>\r\nBcc: all@evil.test\n@all <@all> [x](http://evil.test)"
    " **b** `c` \u202egnp.exe\u2066 \x00\x07 www.evil.test {booking} ~~s~~"
)


def values(template: templates.Template, text: str = "说明") -> dict[str, Any]:
    """Something for each parameter of a template."""
    given: dict[str, Any] = {
        "text": text,
        "code": "BK-1",
        "names": {"zh": text, "en": text},
        "instant": NOON,
        "fen": 123_456,
        "int": 7,
    }
    return {name: given[kind] for name, kind in template.params.items()}


@pytest.mark.parametrize("key", ALL)
def test_each_template_takes_its_own_parameters_and_no_others(key: str) -> None:
    template = templates.known()[key]
    good = values(template)

    packed = templates.packed(template, good)

    for language in ("zh", "en"):
        text = templates.rendered(template, packed, language)
        assert text.title
        assert text.body
        assert "{" not in text.title + text.body + templates.link_of(template, packed)
    with pytest.raises(templates.BadParams, match="unknown"):
        templates.packed(template, good | {"surplus": "x"})
    for name in good:
        with pytest.raises(templates.BadParams, match="missing"):
            templates.packed(template, {k: v for k, v in good.items() if k != name})
        with pytest.raises(templates.BadParams, match=name):
            templates.packed(template, good | {name: object()})


@pytest.mark.parametrize("key", ALL)
def test_each_template_speaks_both_languages(key: str) -> None:
    words = templates.known()[key].words

    assert any(unicodedata.name(c, "").startswith("CJK") for c in words["zh"].title)
    assert not any(unicodedata.name(c, "").startswith("CJK") for c in words["en"].title)


@pytest.mark.parametrize(
    "fault",
    [
        'zh.body = "{unknown}"',
        'zh.body = "nothing used"',
        'zh.body = "{name!r}"',
        'zh.body = "{name.__class__}"',
        'zh.body = "{name:>9999}"',
        'surplus = 1\nzh.body = "{name}"',
        'params = { name = "float" }\nzh.body = "{name}"',
    ],
)
def test_a_faulty_data_file_is_refused(fault: str) -> None:
    params = "" if "params" in fault else 'params = { name = "text" }\n'
    rest = '\nzh.title = "t"\nen.title = "t"\nen.body = "{name}"'

    with pytest.raises(templates.BadTemplate):
        templates.load(f'["a.b"]\n{params}{fault}{rest}')


def test_instants_and_money_are_written_as_the_reader_is_used_to() -> None:
    template = templates.known()["booking.confirmed"]
    packed = templates.packed(template, values(template))

    zh, en = (templates.rendered(template, packed, lang) for lang in ("zh", "en"))

    assert "9月15日 12:00" in zh.title
    assert "¥1,234.56" in zh.body
    assert "15 Sep 12:00" in en.title
    assert "CNY 1,234.56" in en.body


@pytest.mark.parametrize("key", ALL)
def test_hostile_text_comes_out_as_plain_text_on_one_line(key: str) -> None:
    template = templates.known()[key]

    packed = templates.packed(template, values(template, HOSTILE))

    for language in ("zh", "en"):
        title = templates.rendered(template, packed, language).title
        assert title.isprintable(), repr(title)
        assert "://" not in title
        assert "www." not in title
        marked = cleaning.unmarked(title)
        assert not set(marked) & set("<>[]*_`#|~@\\")


@given(st.text())
def test_cleaned_text_is_one_safe_line_and_cleaning_again_changes_nothing(text: str) -> None:
    cleaned = cleaning.clean(text)

    assert len(cleaned) <= cleaning.MOST_CHARS
    assert "\n" not in cleaned
    assert "\r" not in cleaned
    assert not {unicodedata.category(c) for c in cleaned.replace("\u200d", "")} & {
        "Cc",
        "Cf",
        "Cs",
    }
    assert cleaning.clean(cleaned) == cleaned


@given(st.text(), st.integers(10, 200))
def test_cutting_keeps_whole_characters_within_the_bytes(text: str, most: int) -> None:
    text = text.encode(errors="ignore").decode()

    cut = cleaning.fits(text, most)

    assert len(cut.encode()) <= most
    assert cut == text or text.startswith(cut.removesuffix("…"))


@given(st.frozensets(st.sampled_from(["admin", "manager", "finance"]), min_size=1))
def test_an_audience_is_read_as_it_was_written(names: frozenset[str]) -> None:
    for audience in (
        audiences.Roles(names),
        audiences.TenantPeople(5),
        audiences.OneUser(7),
        audiences.OneEndpoint(9),
    ):
        assert audiences.read(audiences.write(audience)) == audience


@pytest.mark.parametrize("text", ["", "roles:", "roles:a b", "tenant:x", "all:1"])
def test_other_texts_are_no_audience(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - what int() says is fine
        audiences.read(text)


def at(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 9, 15, hour, minute, tzinfo=quiet.BASE_ZONE)


@pytest.mark.parametrize(
    ("instant", "over"),
    [
        (at(22, 59), at(22, 59)),
        (at(23), at(23) + timedelta(hours=8)),
        (at(0), at(7)),
        (at(6, 59), at(7)),
        (at(7), at(7)),
    ],
)
def test_quiet_hours_cross_midnight(instant: datetime, over: datetime) -> None:
    night = quiet.QuietHours(time(23), time(7))

    assert night.over_at(instant.astimezone(UTC)) == over


@given(
    st.times(),
    st.times(),
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_after_quiet_hours_it_is_never_quiet_and_never_a_day_later(
    start: time, end: time, instant: datetime
) -> None:
    hours = quiet.QuietHours(start.replace(microsecond=0), end.replace(microsecond=0))

    over = hours.over_at(instant)

    assert instant <= over <= instant + timedelta(days=1)
    assert hours.over_at(over) == over


def test_pauses_double_and_end_after_about_six_hours() -> None:
    pauses = [pacing.retry_after(n, dice=0.5) for n in range(1, pacing.MOST_ATTEMPTS)]

    assert pauses[:3] == [timedelta(seconds=s) for s in (10, 20, 40)]
    assert timedelta(hours=5) < sum(pauses, timedelta()) < timedelta(hours=7)
    assert pacing.retry_after(10**6, dice=0.99) <= pacing.LONGEST_RETRY * 1.25


def test_the_breaker_opens_at_the_third_failure_and_longer_each_time() -> None:
    opened = [pacing.open_for(n, dice=0.5) for n in range(6)]

    assert opened[:3] == [None] * 3
    assert opened[3:] == [timedelta(seconds=s) for s in (30, 60, 120)]
    assert pacing.open_for(10**6, dice=0.5) == pacing.LONGEST_OPEN


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 30)), max_size=60))
def test_a_robot_never_says_more_than_twenty_things_within_a_minute(
    steps: list[tuple[int, int]],
) -> None:
    paced, now, sent = None, NOON, []
    for pause_s, wanted in steps:
        now += timedelta(seconds=pause_s)
        count, paced = pacing.admitted(pacing.ROBOT_RATE, paced, wanted, now=now)
        sent += [now] * count

    for first in sent:
        assert sum(first <= t < first + timedelta(minutes=1) for t in sent) <= 20


def test_a_robot_that_was_silent_may_say_ten_things_at_once_then_one_each_six_seconds() -> None:
    count, paced = pacing.admitted(pacing.ROBOT_RATE, None, 99, now=NOON)

    assert count == 10
    assert pacing.admitted(pacing.ROBOT_RATE, paced, 5, now=NOON)[0] == 0
    later = NOON + timedelta(seconds=6)
    assert pacing.admitted(pacing.ROBOT_RATE, paced, 5, now=later)[0] == 1


def verified(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """Standard Webhooks as its text says, written apart from the sender."""
    assert secret.startswith("whsec_")
    key = base64.standard_b64decode(secret[len("whsec_") :])
    content = b".".join(
        [headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body]
    )
    wanted = base64.b64encode(hmac.digest(key, content, "sha256")).decode()
    pairs = [part.split(",", 1) for part in headers["webhook-signature"].split(" ")]
    return any(version == "v1" and given == wanted for version, given in pairs)


def test_the_signature_is_the_one_of_standard_webhooks() -> None:
    # The example of its specification and libraries.
    headers = signatures.webhook_headers(
        message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp=1614265330,
        body=b'{"test": 2432232314}',
        secrets_valid=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
    )

    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@given(st.binary(max_size=200), st.integers(0, 2**40))
def test_a_signature_is_of_this_body_time_and_either_secret(body: bytes, timestamp: int) -> None:
    new, old, other = (signatures.new_secret() for _ in range(3))

    headers = signatures.webhook_headers(
        message_id="msg_1", timestamp=timestamp, body=body, secrets_valid=[new, old]
    )

    assert verified(new, headers, body)
    assert verified(old, headers, body)
    assert not verified(other, headers, body)
    assert not verified(new, headers, body + b" ")
    assert not verified(new, headers | {"webhook-timestamp": str(timestamp + 1)}, body)
    assert not verified(new, headers | {"webhook-id": "msg_2"}, body)


def test_a_message_without_secret_or_with_an_ambiguous_id_is_not_signed() -> None:
    for message_id, valid in (("msg_1", []), ("msg.1", [signatures.new_secret()])):
        with pytest.raises(ValueError, match="full stop"):
            signatures.webhook_headers(
                message_id=message_id, timestamp=1, body=b"", secrets_valid=valid
            )


def test_dingtalk_is_signed_with_the_time_and_the_secret() -> None:
    secret, ms = "SEC000", 1_600_000_000_000
    query = signatures.dingtalk_query(secret, timestamp_ms=ms)

    digest = hmac.new(secret.encode(), f"{ms}\n{secret}".encode(), hashlib.sha256).digest()
    assert query == {"timestamp": str(ms), "sign": base64.b64encode(digest).decode()}


def test_wishes_follow_the_template_until_somebody_chooses() -> None:
    soon, done = (templates.known()[k] for k in ("booking.starts_soon", "booking.confirmed"))

    assert not wishes.wants({}, soon, "email")
    assert wishes.wants({"booking.starts_soon": {"email": True}}, soon, "email")
    assert not wishes.wants({"booking.confirmed": {"in_app": False}}, done, "in_app")
    assert wishes.wants({"booking.starts_soon": {"in_app": False}}, soon, "in_app")
