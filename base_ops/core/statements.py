"""Hand-written SQL for what happens with every booking: bound by the server, planned once.

The ORM builds a statement anew for each row, which takes ten times as long as asking by a text
that is known before, and PostgreSQL parses and plans it again. Here a text is a constant that the
connection keeps prepared. Everything still runs in Django's transaction and is seen by its query
log.

Inside `gathered` (and so inside `db.in_transaction`) a statement waits until somebody needs an
answer, the ORM asks something, or the deed is done. Then all that wait go to the server together,
in the order in which they were asked; the last together with the COMMIT.
"""

import threading
from collections.abc import Callable, Sequence
from functools import cache
from types import TracebackType
from typing import Any, Generic, TypeVar

import msgspec
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections, models
from django.db.models.base import ModelState

from base_ops.core import prepared
from base_ops.core.prepared import Params, Row

M = TypeVar("M", bound=models.Model)


class Answer:
    """What the server says to one statement; looking at it sends what still waits."""

    __slots__ = ("_count", "_expect", "_gathering", "_rows")

    def __init__(self, expect: "Expect | None", gathering: "gathered | None" = None) -> None:
        self._expect = expect
        self._gathering = gathering
        self._rows: list[Row] = []
        self._count = 0

    @property
    def rows(self) -> list[Row]:
        """The rows that the statement gives."""
        self._look()
        return self._rows

    @property
    def count(self) -> int:
        """How many rows it gave or changed."""
        self._look()
        return self._count

    def _look(self) -> None:
        if self._gathering is not None:
            self._gathering.flush()
        if self._gathering is not None:
            raise DatabaseError("a statement before this one failed, so there is no answer")

    def arrived(self, rows: list[Row], count: int) -> None:
        """It is there."""
        self._gathering, self._rows, self._count = None, rows, count

    def expected(self) -> None:
        """Let whoever asked look at it, and perhaps put an end to the transaction."""
        if self._expect is not None:
            self._expect(self)


Expect = Callable[[Answer], None]


def ask(sql: str, params: Params = (), *, expect: Expect | None = None) -> Answer:
    """Run a statement, inside `gathered` together with those that are asked around it.

    The server binds `params`, so casts may be needed. `expect` sees the answer as soon as it is
    there, before anybody does anything with those to later statements.
    """
    gathering: gathered | None = getattr(_here, "gathering", None)
    if gathering is not None and not _is_watched(gathering):
        return gathering.add(sql, params, expect)
    answer = Answer(expect)
    answer.arrived(*_run(sql, params))
    answer.expected()
    return answer


def rows(sql: str, params: Params = ()) -> list[Row]:
    """The rows that a statement gives."""
    return ask(sql, params).rows


def first(sql: str, params: Params = ()) -> Row | None:
    """The first row, if there is one."""
    return next(iter(ask(sql, params).rows), None)


def change(sql: str, params: Params = ()) -> int:
    """Run a statement for its effect; how many rows it changed."""
    return ask(sql, params).count


def flush() -> None:
    """Run what waits, if anything does."""
    gathering: gathered | None = getattr(_here, "gathering", None)
    if gathering is not None:
        gathering.flush()


def _run(sql: str, params: Params) -> tuple[list[Row], int]:
    """One statement at once.

    Where queries are logged or wrapped they go through Django's own cursor, which shows their
    values; otherwise past its wrappers, which cost as much as the statement.
    """
    link = connections[DEFAULT_DB_ALIAS]
    if link.queries_logged or link.execute_wrappers:
        with link.cursor() as logged:
            logged.execute(sql, params)
            return (logged.fetchall() if logged.description else []), logged.rowcount
    return _exchange(link, [(sql, params)])[0]


def _exchange(link: Any, asked: Sequence[prepared.Asked]) -> list[tuple[list[Row], int]]:
    link.close_if_health_check_failed()
    link.ensure_connection()
    link.validate_no_broken_transaction()
    with link.wrap_database_errors:
        return prepared.run(link.connection, asked)


def plan_once(connection: Any, **_: Any) -> None:
    """Let a new connection keep one plan for each prepared statement.

    By itself PostgreSQL plans those with lists anew each time, which takes longer than running
    them. The ORM prepares nothing, so that this is about the statements here only.
    """
    connection.connection.execute("SET plan_cache_mode = force_generic_plan")


_here = threading.local()


class gathered:  # noqa: N801 - read as a word: with statements.gathered()
    """Lets statements wait for each other until the end of the block; inside another, joins it.

    Args:
        commits: the block is a whole transaction, whose COMMIT goes with the last statements.
    """

    def __init__(self, *, commits: bool = False) -> None:
        self._commits = commits
        self._waiting: list[tuple[str, Params, Answer]] = []
        self._outer: gathered | None = None
        self.link: Any = None

    def __enter__(self) -> None:
        self._outer = getattr(_here, "gathering", None)
        if self._outer is None:
            self.link = connections[DEFAULT_DB_ALIAS]
            _here.gathering = self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        """Send what waits, unless the transaction is lost anyhow."""
        if self._outer is not None:
            if kind is None:
                self._outer.flush()
            return
        try:
            if kind is None:
                self._finish()
            elif not self._commits and not issubclass(kind, DatabaseError):
                self.flush()
        finally:
            _here.gathering = None
            self._stop_watching()
            self._waiting.clear()

    def add(self, sql: str, params: Params, expect: Expect | None) -> Answer:
        """Let a statement wait."""
        if not self._waiting:
            self.link.execute_wrappers.append(self._before_others)
        answer = Answer(expect, self)
        self._waiting.append((sql, params, answer))
        return answer

    def flush(self) -> None:
        """Send what waits, and wait for the answers."""
        self._send()

    def _finish(self) -> None:
        """The last ones; Django finds no transaction open where the COMMIT went with them."""
        if self._commits and not self.link.needs_rollback:
            self._send(prepared.COMMIT)
        else:
            self._send()

    def _send(self, *more: prepared.Asked) -> None:
        if not self._waiting:
            return
        sent, self._waiting = self._waiting, []
        self._stop_watching()
        found = _exchange(self.link, [*((sql, params) for sql, params, _ in sent), *more])
        for (_, _, answer), result in zip(sent, found, strict=False):
            answer.arrived(*result)
        for _, _, answer in sent:
            answer.expected()

    def _before_others(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        """An execute wrapper: what Django asks comes after what was asked before."""
        self.flush()
        return execute(sql, params, many, context)

    def _stop_watching(self) -> None:
        if self._before_others in self.link.execute_wrappers:
            self.link.execute_wrappers.remove(self._before_others)

    @property
    def is_waiting(self) -> bool:
        """Whether a statement waits."""
        return bool(self._waiting)


def _is_watched(gathering: gathered) -> bool:
    """Whether somebody logs or wraps queries, who must see each statement where it is asked."""
    link = gathering.link
    return bool(link.queries_logged) or len(link.execute_wrappers) > gathering.is_waiting


def packed(value: Any) -> str:
    """A value as the text of a jsonb parameter; `msgspec.Raw` is text already."""
    return msgspec.json.encode(value).decode()


def new(model: type[M], **columns: Any) -> M:
    """A row that is not yet in the database: the columns that are given, defaults for others."""
    plain, made = _defaults(model)
    row = known(model, {**plain, **{name: make() for name, make in made}, **columns})
    row._state.adding = True  # noqa: SLF001 - as __init__ leaves it
    return row


def add(row: models.Model) -> None:
    """Insert a new row, as `save` does where nobody listens to signals; sets its id."""
    sql, columns = _insert(type(row))
    row.pk = rows(f"{sql} RETURNING id", _values(row, columns))[0][0]
    state = row._state  # noqa: SLF001 - as from_db does
    state.adding, state.db = False, DEFAULT_DB_ALIAS


def insertion_of(row: models.Model) -> tuple[str, list[Any]]:
    """The statement that inserts a new row, as a part of another, and what it is given."""
    sql, columns = _insert(type(row))
    row._state.adding = False  # noqa: SLF001 - as from_db does
    return sql, _values(row, columns)


def _values(row: models.Model, columns: Sequence[tuple[str, bool]]) -> list[Any]:
    """What the row's columns hold; JSON that came as text is read back when somebody asks."""
    given = row.__dict__
    values: list[Any] = []
    for name, is_json in columns:
        value = given[name]
        if is_json and value is not None:
            if isinstance(value, msgspec.Raw):
                del given[name]
            value = packed(value)
        values.append(value)
    return values


@cache
def _defaults(
    model: type[models.Model],
) -> tuple[dict[str, Any], list[tuple[str, Callable[[], Any]]]]:
    """The plain defaults of a model's columns, and those that are made anew for each row."""
    plain: dict[str, Any] = {}
    made: list[tuple[str, Callable[[], Any]]] = []
    for field in _fields(model):
        if callable(field.default) and field.has_default():
            made.append((field.attname, field.default))
        else:
            plain[field.attname] = field.get_default()
    return plain, made


@cache
def _insert(model: type[models.Model]) -> tuple[str, list[tuple[str, bool]]]:
    """The statement that inserts one row, and its attributes with whether they are JSON."""
    fields = [f for f in _fields(model) if not f.primary_key]
    names = ", ".join(f'"{f.column}"' for f in fields)
    places = ", ".join(["%s"] * len(fields))
    table = model._meta.db_table  # noqa: SLF001 - documented
    sql = f'INSERT INTO "{table}" ({names}) VALUES ({places})'  # noqa: S608 - ours
    return sql, [(f.attname, isinstance(f, models.JSONField)) for f in fields]


def _fields(model: type[models.Model]) -> Sequence["models.Field[Any, Any]"]:
    return model._meta.concrete_fields  # noqa: SLF001 - documented


class Part(Generic[M]):
    """Some columns of a model inside a hand-written SELECT; the model looks others up when asked.

    Args:
        model: whose columns.
        alias: what the statement calls the table.
        without: fields that are left out because they are large and seldom asked for.
    """

    def __init__(self, model: type[M], alias: str, *, without: Sequence[str] = ()) -> None:
        fields = [f for f in _fields(model) if f.name not in without]
        self._model = model
        self._names = [f.attname for f in fields]
        self._json = [f.attname for f in fields if isinstance(f, models.JSONField)]
        self.columns = ", ".join(f'{alias}."{f.column}"' for f in fields)
        self.width = len(fields)

    def read(self, values: Sequence[Any]) -> M:
        """The instance that these columns describe, as `from_db` makes it."""
        given = dict(zip(self._names, values, strict=True))
        for name in self._json:
            if given[name] is not None:
                given[name] = msgspec.json.decode(given[name])
        return known(self._model, given)


def known(model: type[M], columns: dict[str, Any]) -> M:
    """An instance that is in the database, made past `__init__`, which costs more than the query.

    Fields without an attribute in `columns` are looked up when they are asked for.
    """
    row = model.__new__(model)
    state = row._state = ModelState()  # noqa: SLF001 - as from_db does
    state.adding, state.db = False, DEFAULT_DB_ALIAS
    row.__dict__.update(columns)
    return row


def refer(row: models.Model, name: str, to: models.Model) -> None:
    """Let a foreign key lead to an instance that is at hand already."""
    row._state.fields_cache[name] = to  # noqa: SLF001 - what the descriptor does
