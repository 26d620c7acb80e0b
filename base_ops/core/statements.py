"""Hand-written SQL for what happens with every booking: bound by the server, planned once.

The ORM builds a statement anew for each row, which takes ten times as long as asking by a text
that is known before, and PostgreSQL parses and plans it again. Here a text is a constant that the
connection keeps prepared. Everything still runs in Django's transaction and is seen by its query
log.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, Generic, TypeVar

import msgspec
from django.db import DEFAULT_DB_ALIAS, connections, models

from base_ops.core import prepared
from base_ops.core.prepared import Params, Row

M = TypeVar("M", bound=models.Model)


def rows(sql: str, params: Params = ()) -> list[Row]:
    """The rows that a statement gives; the server binds `params`, so casts may be needed."""
    return _run(sql, params)[0]


def first(sql: str, params: Params = ()) -> Row | None:
    """The first row, if there is one."""
    return next(iter(rows(sql, params)), None)


def change(sql: str, params: Params = ()) -> int:
    """Run a statement for its effect; how many rows it changed."""
    return _run(sql, params)[1]


def _run(sql: str, params: Params) -> tuple[list[Row], int]:
    """The rows, and how many rows were given or changed.

    Where queries are logged or wrapped they go through Django's own cursor, which shows their
    values; otherwise past its wrappers, which cost as much as the statement.
    """
    link = connections[DEFAULT_DB_ALIAS]
    if link.queries_logged or link.execute_wrappers:
        with link.cursor() as logged:
            logged.execute(sql, params)
            return (logged.fetchall() if logged.description else []), logged.rowcount
    link.close_if_health_check_failed()
    link.ensure_connection()
    link.validate_no_broken_transaction()
    with link.wrap_database_errors:
        return prepared.session(link.connection).run(sql, params)


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
    state.adding, state.db = False, DEFAULT_DB_ALIAS


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
        return self._model.from_db(DEFAULT_DB_ALIAS, self._names, given)
