"""Hand-written SQL for what happens with every booking: bound by the server, planned once.

The ORM builds a statement anew for each row, which takes ten times as long as asking by a text
that is known before, and PostgreSQL parses and plans it again. Here a text is a constant: after
its second use psycopg keeps it prepared on the connection. Everything still runs in Django's
transaction and is seen by its query log.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Generic, TypeVar

import msgspec
from django.db import connection, models
from django.db.backends.postgresql.base import ServerBindingCursor

M = TypeVar("M", bound=models.Model)
Row = tuple[Any, ...]
Params = Sequence[Any] | Mapping[str, Any]


def rows(sql: str, params: Params = ()) -> list[Row]:
    """The rows that a statement gives; the server binds `params`, so casts may be needed."""
    with _cursor() as cursor:
        cursor.execute(sql, params)
        found: list[Row] = cursor.fetchall()
        return found


def first(sql: str, params: Params = ()) -> Row | None:
    """The first row, if there is one."""
    return next(iter(rows(sql, params)), None)


def change(sql: str, params: Params = ()) -> int:
    """Run a statement that gives no rows; how many it changed."""
    with _cursor() as cursor:
        cursor.execute(sql, params)
        return int(cursor.rowcount)


def _cursor() -> Any:
    """Django's cursor with another way to send parameters; its own where queries are logged."""
    connection.ensure_connection()
    if connection.queries_logged:  # a prepared statement could not be shown with its values
        return connection.cursor()
    kind: Any = ServerBindingCursor  # the stubs know psycopg 2 only
    return connection.make_cursor(kind(connection.connection))


def packed(value: Any) -> str:
    """A value as the text of a jsonb parameter."""
    return msgspec.json.encode(value).decode()


def add(row: models.Model) -> None:
    """Insert a new row, as `save` does where nobody listens to signals; sets its id."""
    sql, columns = _insert(type(row))
    values = [
        value if value is None or not is_json else packed(value)
        for value, is_json in ((getattr(row, name), is_json) for name, is_json in columns)
    ]
    row.pk = rows(sql, values)[0][0]
    state = row._state  # noqa: SLF001 - as from_db does
    state.adding, state.db = False, connection.alias


@cache
def _insert(model: type[models.Model]) -> tuple[str, list[tuple[str, bool]]]:
    """The statement that inserts one row, and its attributes with whether they are JSON."""
    fields = [f for f in _fields(model) if not f.primary_key]
    names = ", ".join(f'"{f.column}"' for f in fields)
    places = ", ".join(["%s"] * len(fields))
    table = model._meta.db_table  # noqa: SLF001 - documented
    sql = f'INSERT INTO "{table}" ({names}) VALUES ({places}) RETURNING id'  # noqa: S608 - ours
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
        self._json = [i for i, f in enumerate(fields) if isinstance(f, models.JSONField)]
        self.columns = ", ".join(f'{alias}."{f.column}"' for f in fields)
        self.width = len(fields)

    def read(self, values: Sequence[Any]) -> M:
        """The instance that these columns describe."""
        given = list(values)
        for i in self._json:
            if given[i] is not None:
                given[i] = msgspec.json.decode(given[i])
        return self._model.from_db(connection.alias, self._names, given)
