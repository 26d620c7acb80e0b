"""The hub survives its database: nothing is missed, and pages know when nothing can be known."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from django.db import connection

from base_ops.core import live
from base_ops.core.models import Role
from tests import make
from tests.live.client import page, publish
from tests.waiting import eventually
from tests.web_server import WebServer

pytestmark = pytest.mark.django_db(transaction=True)

HUB = "application_name LIKE 'base-ops-hub%%' AND datname = current_database()"


def hub_connections() -> int:
    """How many connections hubs have to this test's database."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM pg_stat_activity WHERE {HUB}")
        return int(cursor.fetchone()[0])


def kill_hub_connections() -> None:
    """End them as an administrator does."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {HUB}")


@contextmanager
def no_new_connections() -> Iterator[None]:
    """Let nobody connect to the test database; those that are stay."""
    params = connection.get_connection_params()
    for django_only in ("cursor_factory", "context"):
        params.pop(django_only, None)
    name = connection.ops.quote_name(params.pop("dbname"))
    with psycopg.connect(**params, dbname="postgres", autocommit=True) as other:
        other.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        try:
            yield
        finally:
            other.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")


def test_a_listener_that_was_killed_heals_and_misses_nothing(server: WebServer) -> None:
    topics = [f"space.D{n}" for n in range(5)]

    with page(server, make.user(Role.MANAGER)) as mine:
        for topic in topics:
            publish(topic, X=0)
            mine.follow(topic)
        for x in range(1, 31):
            if x % 10 == 1:
                kill_hub_connections()
            publish(topics[x % 5], X=x)
        states = [mine.await_seq(topic, live.state(topic)[1]) for topic in topics]

    assert states == [{"X": 30}, {"X": 26}, {"X": 27}, {"X": 28}, {"X": 29}]


def test_pages_are_told_while_the_database_is_away(server: WebServer) -> None:
    publish("space.D6", X=0)

    with page(server, make.user(Role.MANAGER)) as mine:
        mine.follow("space.D6")
        mine.await_("snap")
        with no_new_connections():
            kill_hub_connections()
            away = mine.await_("ping", db=False)
            publish("space.D6", X=1)
        back = mine.await_("ping", db=True)
        state = mine.await_seq("space.D6", 2)

    assert away["heads"]["space.D6"]["seq"] == 1
    assert back["heads"]["space.D6"]["seq"] in {1, 2}
    assert state == {"X": 1}


def test_heads_in_pings_are_where_the_page_is(server: WebServer) -> None:
    publish("space.D7", X=0)

    with page(server, make.user(Role.MANAGER)) as mine:
        mine.follow("space.D7")
        mine.await_("snap")
        publish("space.D7", X=1)
        mine.await_seq("space.D7", 2)
        ping = mine.await_("ping", timeout_s=15)

    assert ping["heads"] == {"space.D7": mine.head("space.D7")}
    assert ping["db"] is True


def test_a_notification_that_is_lost_is_made_up_for(server: WebServer) -> None:
    publish("space.D8", X=0)

    with page(server, make.user(Role.MANAGER)) as mine:
        mine.follow("space.D8")
        mine.await_("snap")
        with connection.cursor() as cursor:  # as publish does, but without its NOTIFY
            cursor.execute(
                "UPDATE core_livetopic SET seq = 2, state = '{\"X\": 1}' WHERE name = 'space.D8'"
            )
            cursor.execute(
                "INSERT INTO core_livedelta (topic, seq, set, unset, at)"
                " VALUES ('space.D8', 2, '{\"X\": 1}', '[]', '2026-09-15T07:00:00Z')"
            )
        state = mine.await_seq("space.D8", 2)

    assert state == {"X": 1}


def test_one_process_needs_two_connections_however_many_pages(server: WebServer) -> None:
    user = make.user(Role.MANAGER)

    with page(server, user) as one, page(server, user) as two:
        for mine in (one, two):
            mine.follow("space.D9")

        assert eventually(lambda: hub_connections() == 2)
