"""Measurements become minutes, minutes hours, each sample counted once however late it comes."""

import json
import random
import threading
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from base_ops.core.spans import Span
from devices import selectors, services
from devices.domain import rollups
from devices.domain.messages import Tele
from devices.domain.rollups import Bucket, Grain
from devices.models import Device
from devices.schemas.telemetry import points_out
from devices.selectors import measured as reading
from devices.services import partitions, rolling
from tests.devices import make

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
NOON = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
values = st.lists(
    st.floats(-1e9, 1e9, allow_nan=False).map(lambda v: round(v, 3)), min_size=1, max_size=12
)


@pytest.fixture
def _nothing_measured(db: None) -> Iterator[None]:
    """These tables are not emptied after a test that commits."""
    for series in partitions.ALL:
        partitions.drop(series, partitions.existing(series))
    yield
    for series in partitions.ALL:
        partitions.drop(series, partitions.existing(series))


def measured(device: Device, samples: Iterable[tuple[datetime, dict[str, float]]]) -> None:
    """Ingest samples, each as it is taken."""
    messages = [Tele(device.code, make.ms(at), m) for at, m in samples]
    services.ingest(messages, max(at for at, _ in samples))


def kept(grain: str, device: Device, metric: str = "power_w") -> dict[datetime, Bucket]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT at, m->%s FROM devices_telemetry{grain} WHERE device_id = %s ORDER BY at",
            [metric, device.pk],
        )
        return {
            at: Bucket(*json.loads(found, parse_int=float))
            for at, found in cursor.fetchall()
            if found
        }


def near(a: Bucket, b: Bucket) -> bool:
    return all(
        getattr(a, name) == pytest.approx(getattr(b, name), rel=1e-9, abs=1e-6)
        for name in Bucket.__slots__
    )


@unhurried
@given(values, values, values)
def test_buckets_join_into_the_bucket_of_all_samples_in_any_grouping(
    a: list[float], b: list[float], c: list[float]
) -> None:
    one, two, three = rollups.bucket(a), rollups.bucket(b), rollups.bucket(c)

    whole = rollups.bucket([*a, *b, *c])

    assert near(one.then(two).then(three), whole)
    assert near(one.then(two.then(three)), whole)


def test_a_counter_that_fell_began_again_from_zero() -> None:
    found = rollups.bucket([100, 130, 5, 9])

    assert (found.grown, found.resets) == (30 + 5 + 4, 1)


@unhurried
@given(st.integers(1, 3 * 366 * 24 * 60), st.integers(10, 5000))
def test_the_grain_is_the_finest_of_which_so_many_points_cover_the_time(
    minutes: int, points: int
) -> None:
    length = minutes * MINUTE

    found = rollups.fitting(length, points=points)

    assert length / found.width + 1 <= points
    assert (found.grain is Grain.MINUTE) == (found.width < HOUR)
    assert HOUR % found.width == timedelta(0) or found.width % HOUR == timedelta(0)
    finer = [w for w in (MINUTE, 5 * MINUTE, HOUR, DAY) if w < found.width]
    assert all(length / w + 1 > points for w in finer)


@pytest.mark.usefixtures("_nothing_measured")
@pytest.mark.django_db
def test_minutes_and_hours_are_what_the_samples_come_to_in_whatever_order_they_came() -> None:
    rng = random.Random(7)
    meter = make.device("power_meter")
    samples = [
        (NOON + timedelta(seconds=rng.randrange(3 * 3600), milliseconds=n), {"power_w": v})
        for n, v in enumerate(round(rng.uniform(-50, 900), 3) for _ in range(400))
    ]
    truth: dict[datetime, list[tuple[datetime, float]]] = {}
    for at, m in samples:
        truth.setdefault(at.replace(second=0, microsecond=0), []).append((at, m["power_w"]))

    for n in range(0, 400, 50):
        measured(meter, samples[n : n + 50])
        services.roll_minutes(NOON)
        services.roll_hours(NOON)

    minutes, hours = kept("minute", meter), kept("hour", meter)
    wanted = {
        minute: rollups.bucket([v for _, v in sorted(found)]) for minute, found in truth.items()
    }
    assert minutes.keys() == wanted.keys()
    assert all(near(minutes[at], wanted[at]) for at in wanted)
    by_hour = rollups.binned(sorted(wanted.items(), key=lambda item: item[0]), HOUR)
    assert [near(hours[at.replace(minute=0)], b) for at, b in by_hour] == [True] * len(hours)
    assert sum(b.count for b in hours.values()) == 400


@pytest.mark.usefixtures("_nothing_measured")
@pytest.mark.django_db
def test_a_sample_that_comes_late_corrects_its_minute_and_hour_only() -> None:
    meter = make.device("power_meter")
    measured(meter, [(NOON, {"power_w": 10}), (NOON + HOUR, {"power_w": 30})])
    services.roll_minutes(NOON)
    services.roll_hours(NOON)

    services.ingest(
        [Tele(meter.code, make.ms(NOON + timedelta(seconds=5)), {"power_w": 20})], NOON + HOUR
    )

    assert services.roll_minutes(NOON) == 1
    assert services.roll_hours(NOON) == 1
    assert [b.mean for b in kept("minute", meter).values()] == [15, 30]
    assert [b.mean for b in kept("hour", meter).values()] == [15, 30]


@pytest.mark.usefixtures("_nothing_measured")
@pytest.mark.django_db
def test_a_message_delivered_twice_counts_once_and_rolling_again_changes_nothing() -> None:
    meter = make.device("power_meter")
    for _ in range(2):
        measured(meter, [(NOON, {"power_w": 10}), (NOON + MINUTE, {"power_w": 20})])

    first = services.roll_minutes(NOON), services.roll_hours(NOON)
    again = services.roll_minutes(NOON), services.roll_hours(NOON)

    assert (first, again) == ((2, 1), (0, 0))
    assert [b.count for b in kept("minute", meter).values()] == [1, 1]


@pytest.mark.usefixtures("_nothing_measured")
@pytest.mark.django_db
def test_the_largest_numbers_do_not_stop_the_roller() -> None:
    meter = make.device("power_meter")
    most = 1.7976931348623157e308

    measured(meter, [(NOON + n * timedelta(seconds=1), {"power_w": most}) for n in range(5)])
    services.roll_minutes(NOON)

    (found,) = kept("minute", meter).values()
    assert (found.high, found.count) == (rollups.MOST, 5)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_nothing_measured")
def test_what_commits_after_the_roller_looked_is_rolled_up_next() -> None:
    """A batch takes its transaction before the roller runs, and commits after it."""
    meter = make.device("power_meter")
    measured(meter, [(NOON, {"power_w": 10})])
    began, rolled = threading.Event(), threading.Event()

    def slow_batch() -> None:
        with transaction.atomic():
            measured(meter, [(NOON + timedelta(seconds=1), {"power_w": 30})])
            began.set()
            rolled.wait(60)
        connection.close()

    batch = threading.Thread(target=slow_batch)
    batch.start()
    assert began.wait(60)
    measured(meter_two := make.device("power_meter"), [(NOON, {"power_w": 1})])
    services.roll_minutes(NOON)
    before = kept("minute", meter)[NOON].mean
    rolled.set()
    batch.join()

    services.roll_minutes(NOON)

    assert (before, kept("minute", meter)[NOON].mean) == (10, 20)
    assert kept("minute", meter_two)[NOON].count == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_nothing_measured")
def test_two_rollers_at_once_pass_over_what_the_other_has_in_hand() -> None:
    meter = make.device("power_meter")
    measured(meter, [(NOON, {"power_w": 10})])
    services.roll_minutes(NOON)
    measured(meter, [(NOON, {"power_w": 20})])
    (name,) = [n for n in partitions.existing() if n.endswith(f"{NOON:%Y%m%d}")]
    held, done = threading.Event(), threading.Event()

    def other() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT 1 FROM devices_rollupmark WHERE partition = %s FOR UPDATE", [name]
            )
            held.set()
            done.wait(60)
        connection.close()

    roller = threading.Thread(target=other)
    roller.start()
    assert held.wait(60)
    written = services.roll_minutes(NOON)
    done.set()
    roller.join()

    assert (written, services.roll_minutes(NOON)) == (0, 1)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_nothing_measured")
def test_a_roller_that_dies_half_way_has_done_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    meter = make.device("power_meter")
    measured(meter, [(NOON, {"power_w": 10})])

    def dies(name: str, upto: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(rolling, "_move_mark", dies)
        with pytest.raises(KeyboardInterrupt):
            services.roll_minutes(NOON)
    assert not kept("minute", meter)

    services.roll_minutes(NOON)
    assert kept("minute", meter)[NOON].count == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_nothing_measured")
def test_a_long_rest_is_made_up_for_in_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    meter = make.device("power_meter")
    monkeypatch.setattr(rolling, "PORTION", 2)
    for n in range(12):
        measured(meter, [(NOON + n * MINUTE, {"power_w": n})])
    moves: list[int] = []
    move = rolling._move_mark

    def noted(name: str, upto: int) -> None:
        moves.append(upto)
        move(name, upto)

    monkeypatch.setattr(rolling, "_move_mark", noted)

    services.roll_minutes(NOON)

    assert len(moves) >= 4
    assert moves == sorted(set(moves))
    assert [b.mean for b in kept("minute", meter).values()] == list(range(12))


@pytest.mark.usefixtures("_nothing_measured")
@pytest.mark.django_db
def test_a_restored_database_whose_transactions_count_lower_rolls_up_all_again() -> None:
    meter = make.device("power_meter")
    measured(meter, [(NOON, {"power_w": 10})])
    services.roll_minutes(NOON)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE devices_rollupmark SET upto = 4000000000000")
        cursor.execute("DELETE FROM devices_telemetryminute")

    services.roll_minutes(NOON)

    assert kept("minute", meter)[NOON].count == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_nothing_measured")
def test_an_old_day_is_rolled_up_before_it_is_dropped_and_its_minutes_stay_three_years() -> None:
    meter = make.device("power_meter")
    measured(meter, [(NOON, {"power_w": 10})])

    services.make_partitions(NOON)
    later = NOON + 32 * DAY
    services.drop_old_partitions(later)
    raw = partitions.existing()
    services.roll_hours(later)
    kept_then = kept("minute", meter), kept("hour", meter)
    services.drop_old_partitions(NOON + 3 * 366 * DAY + 32 * DAY)

    assert not [name for name in raw if name.endswith(f"{NOON:%Y%m%d}")]
    assert [len(found) for found in kept_then] == [1, 1]
    assert not kept("minute", meter)
    assert not kept("hour", meter)


@pytest.mark.django_db
@pytest.mark.usefixtures("_nothing_measured")
def test_a_question_is_answered_from_the_grain_that_fits_and_bins_add_up() -> None:
    meter = make.device("power_meter")
    measured(meter, [(NOON + n * MINUTE / 2, {"energy_wh": 100 + n}) for n in range(241)])
    services.roll_minutes(NOON)
    services.roll_hours(NOON)
    now = NOON + 3 * HOUR

    def asked(points: int, grain: Grain | None = None) -> selectors.Measured:
        return selectors.telemetry(
            device=meter, metric="energy_wh", span=Span(NOON, now), points=points, grain=grain,
            now=now,
        )  # fmt: skip

    found = {points: asked(points) for points in (300, 200, 20)}
    hours = asked(200, Grain.HOUR)

    assert [(f.grain, f.width) for f in found.values()] == [
        (Grain.RAW, None),
        (Grain.MINUTE, MINUTE),
        (Grain.MINUTE, 10 * MINUTE),
    ]
    assert (hours.grain, hours.width) == (Grain.HOUR, HOUR)
    for f in (*found.values(), hours):
        assert sum(b.count for _, b in f.points) == 241
        parts = points_out("energy_wh", f)
        assert sum(p.difference or 0 for p in parts) == 240
    assert [p.max for p in points_out("energy_wh", hours)] == [219, 339, 340]
    assert points_out("power_w", hours)[0].difference is None


@pytest.mark.django_db
@pytest.mark.usefixtures("_nothing_measured")
def test_a_span_that_begins_within_a_bucket_leaves_that_bucket_out() -> None:
    meter = make.device("power_meter")
    measured(meter, [(NOON + timedelta(seconds=n), {"power_w": n}) for n in range(0, 240, 10)])
    services.roll_minutes(NOON)
    half_past = Span(NOON + timedelta(seconds=30), NOON + 4 * MINUTE)

    found = selectors.telemetry(
        device=meter, metric="power_w", span=half_past, points=10, now=NOON
    )

    assert [at for at, _ in found.points] == [NOON + n * MINUTE for n in (1, 2, 3)]


@pytest.mark.django_db
def test_too_many_raw_points_are_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    meter = make.device("power_meter")
    monkeypatch.setattr(reading, "MAX_POINTS", 5)
    measured(meter, [(NOON + timedelta(seconds=n), {"power_w": n}) for n in range(6)])

    with pytest.raises(selectors.TooManyPoints) as refused:
        selectors.telemetry(
            device=meter, metric="power_w", span=Span(NOON, NOON + HOUR), points=10,
            grain=Grain.RAW, now=NOON,
        )  # fmt: skip

    assert refused.value.fields[0].name == "grain"
