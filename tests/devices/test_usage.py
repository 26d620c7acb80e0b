"""Energy with its gaps, live sessions with their breaks, outages with their proof."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from base_ops.core.spans import Span, merged
from devices import selectors, services
from devices.domain import energy, outages, sessions
from devices.domain.energy import Quality, Reading
from devices.domain.messages import Tele
from devices.domain.outages import Cause, Spell
from devices.domain.sessions import Part
from devices.models import Outage
from tests.devices import make

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
MINUTE, HOUR, SECOND = timedelta(minutes=1), timedelta(hours=1), timedelta(seconds=1)
NOON = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)


def at(minute: float) -> datetime:
    return NOON + minute * MINUTE


def span(start: float, end: float) -> Span:
    return Span(at(start), at(end))


def readings(*pairs: tuple[float, float]) -> list[Reading]:
    return [Reading(at(minute), wh) for minute, wh in pairs]


def test_energy_read_each_minute_is_complete() -> None:
    found = energy.account(readings(*((m, 100 + 5 * m) for m in range(-1, 62))), span(0, 60))

    assert found.wh == pytest.approx(300)
    assert (found.quality, found.gaps, found.resets) == (Quality.COMPLETE, (), ())


def test_a_counter_that_began_again_is_counted_from_zero_and_said() -> None:
    found = energy.account(readings((0, 1000), (1, 1010), (2, 4), (3, 9)), span(0, 3))

    assert found.wh == pytest.approx(10 + 4 + 5)
    assert found.quality is Quality.ESTIMATED
    assert [(r.at, r.before_wh, r.after_wh) for r in found.resets] == [(at(2), 1010, 4)]


def test_a_pause_that_the_counter_bridges_is_estimated_and_an_open_end_is_partial() -> None:
    bridged = energy.account(readings((0, 0), (1, 10), (11, 110), (12, 120)), span(0, 12))
    open_ended = energy.account(readings((2, 0), (3, 10)), span(0, 10))

    assert bridged.wh == pytest.approx(120)
    assert bridged.quality is Quality.ESTIMATED
    assert [(g.span, g.bridged) for g in bridged.gaps] == [(span(1, 11), True)]
    assert open_ended.quality is Quality.PARTIAL
    assert [(g.span, g.bridged) for g in open_ended.gaps] == [
        (span(0, 2), False),
        (span(3, 10), False),
    ]


def test_without_readings_nothing_is_known() -> None:
    found = energy.account([], span(0, 10))

    assert (found.wh, found.quality) == (None, Quality.UNKNOWN)


@unhurried
@given(
    st.lists(st.tuples(st.integers(0, 20), st.integers(0, 900)), min_size=2, max_size=20),
    st.integers(1, 59),
)
def test_energy_of_two_halves_is_that_of_the_whole(
    steps: list[tuple[int, int]], middle: int
) -> None:
    minute, known = -5, []
    for step, wh in steps:
        minute += step
        known.append(Reading(at(minute), wh))

    whole = energy.account(known, span(0, 60))
    halves = [energy.account(known, s) for s in (span(0, middle), span(middle, 60))]

    assert sum(h.wh or 0 for h in halves) == pytest.approx(whole.wh or 0)
    missing = sum((g.span.length for g in whole.gaps if not g.bridged), timedelta())
    parts = [g.span.length for h in halves for g in h.gaps if not g.bridged]
    assert sum(parts, timedelta()) == missing


def test_who_is_back_within_ten_minutes_goes_on_and_a_session_is_half_an_hour_on_air() -> None:
    parts = [Part(span(0, 20)), Part(span(30, 40)), Part(span(51, 80), running=True)]

    first, second = sessions.sessions(parts)

    assert (first.span, first.on_air, first.breaks) == (span(0, 40), 30 * MINUTE, 1)
    assert (first.counts, first.running) == (True, False)
    assert (second.span, second.on_air, second.counts) == (span(51, 80), 29 * MINUTE, False)
    assert second.running


def test_two_encoders_at_once_are_one_session_and_two_bookings_are_two() -> None:
    together = sessions.sessions([Part(span(0, 40)), Part(span(10, 30)), Part(span(35, 50))])
    apart = sessions.sessions([Part(span(0, 40), "A"), Part(span(45, 90), "B")])

    assert [(s.span, s.on_air) for s in together] == [(span(0, 50), 50 * MINUTE)]
    assert [(s.booking, s.span) for s in apart] == [("A", span(0, 40)), ("B", span(45, 90))]


starts = st.lists(st.tuples(st.integers(0, 300), st.integers(1, 60)), max_size=12)


@unhurried
@given(starts)
def test_sessions_hold_all_that_was_on_air_once_and_lie_ten_minutes_apart(
    given_parts: list[tuple[int, int]],
) -> None:
    spans = [span(a, a + length) for a, length in given_parts]

    found = sessions.sessions([Part(s) for s in spans])

    on_air = sum((s.length for s in merged(spans)), timedelta())
    assert sum((s.on_air for s in found), timedelta()) == on_air
    gaps = [b.span.start - a.span.end for a, b in pairwise(found)]
    assert all(gap > sessions.RECONNECT for gap in gaps)


def spell(device: str, kind: str, start: float, end: float, cause: str = "offline") -> Spell:
    return Spell(device, kind, Cause(cause), span(start, end))


def test_a_room_is_out_while_all_devices_of_a_kind_it_needs_are_proven_out() -> None:
    sizes = {"encoder": 1, "camera": 2, "light": 3}
    spells = [
        spell("E", "encoder", -5, 7, "uplink"),
        spell("E", "encoder", 5, 10),
        spell("C1", "camera", 20, 40),
        spell("C2", "camera", 30, 50),
        spell("L1", "light", 0, 60),
        spell("E", "encoder", 55, 58, "silent"),
    ]

    found = outages.room_out(spells, sizes=sizes, within=span(0, 60))

    assert found == [span(0, 10), span(30, 40)]
    assert outages.minutes(found) == 20


@pytest.mark.django_db
def test_an_encoder_that_goes_during_a_booking_leaves_proven_minutes(now: datetime) -> None:
    encoder = make.device("encoder")
    assert encoder.space is not None
    booked = Span(now, now + HOUR)
    services.ingest([make.online(encoder, now)], now)
    gone, back = now + 5 * MINUTE, now + 17 * MINUTE

    services.ingest([make.offline(encoder, gone)], gone)
    meanwhile = selectors.room_outages(encoder.space, booked, now=gone + 3 * MINUTE)
    services.ingest([make.online(encoder, back, "s2")], back)
    found = selectors.room_outages(encoder.space, booked, now=now + HOUR)

    assert (meanwhile.minutes, [s.running for s in meanwhile.spells]) == (3, [True])
    assert (found.minutes, list(found.out)) == (12, [Span(gone, back)])
    assert found.spells[0].evidence == {"session": "s1", "last_seen_at": now.isoformat()}


@pytest.mark.django_db
def test_silence_is_kept_and_proves_nothing_and_a_deaf_base_says_nothing(now: datetime) -> None:
    encoder = make.device("encoder")
    assert encoder.space is not None
    services.ingest([make.online(encoder, now)], now)

    services.mark_stale(now + SECOND, silence=timedelta(0))
    deaf = Outage.objects.count()
    services.ingest([make.online(encoder, now + 2 * SECOND)], now + 2 * SECOND)
    services.mark_stale(now + 5 * MINUTE)
    services.ingest([make.online(encoder, now + 9 * MINUTE)], now + 9 * MINUTE)

    found = selectors.room_outages(encoder.space, Span(now, now + HOUR), now=now + HOUR)
    assert (deaf, found.minutes) == (0, 0)
    assert [(s.cause, s.span) for s in found.spells] == [
        (Cause.SILENT, Span(now + 2 * SECOND, now + 9 * MINUTE))
    ]


@pytest.mark.django_db
def test_a_bad_uplink_on_air_is_an_outage_with_the_metrics_that_show_it(now: datetime) -> None:
    encoder = make.device("encoder")
    assert encoder.space is not None
    services.ingest([make.online(encoder, now), make.state(encoder, now, 1, run="live")], now)

    def tell(minute: int, loss: float) -> None:
        when = now + minute * MINUTE
        for n in range(3):
            message = Tele(encoder.code, make.ms(when + n * SECOND), {"dropped_pct": loss})
            services.ingest([message], when + n * SECOND)

    tell(1, 8.0)
    tell(15, 0.1)

    found = selectors.room_outages(encoder.space, Span(now, now + HOUR), now=now + HOUR)
    assert found.minutes == 14
    assert [(s.cause, s.evidence) for s in found.spells] == [
        (Cause.UPLINK, {"metrics": {"dropped_pct": 8.0}})
    ]
