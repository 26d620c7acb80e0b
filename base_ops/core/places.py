"""Spaces with their type and floor, and tenants, as every booking asks for them."""

from base_ops.core import statements
from base_ops.core.models import Floor, Space, SpaceType, Tenant
from base_ops.core.prepared import Row
from base_ops.core.statements import Part

_SPACE = Part(Space, "s", without=["polygon", "label_xy"])
_TYPE = Part(SpaceType, "t")
_FLOOR = Part(Floor, "f", without=["outline"])
_TENANT = Part(Tenant, "c")
_TO_TYPE = _SPACE.width
_TO_FLOOR = _TO_TYPE + _TYPE.width
_TO_TENANT = _TO_FLOOR + _FLOOR.width
_ONE_SPACE = """
SELECT {columns} FROM core_space s
  JOIN core_spacetype t ON t.id = s.type_id JOIN core_floor f ON f.id = s.floor_id
  {more}
 WHERE s.code = %s
"""
_PLACE = f"{_SPACE.columns}, {_TYPE.columns}, {_FLOOR.columns}"
_SPACE_SQL = _ONE_SPACE.format(columns=_PLACE, more="")
_BOTH_SQL = _ONE_SPACE.format(
    columns=f"{_PLACE}, {_TENANT.columns}", more="JOIN core_tenant c ON c.id = %s"
)
_ONE_TENANT = "SELECT {columns} FROM core_tenant c WHERE c.{by} = %s"
_TENANT_SQL = _ONE_TENANT.format(columns=_TENANT.columns, by="id")
_TENANT_BY_CODE_SQL = _ONE_TENANT.format(columns=_TENANT.columns, by="code")


def space(code: str) -> Space | None:
    """The space of that code, with its type and floor."""
    values = statements.first(_SPACE_SQL, [code])
    return None if values is None else _space(values)


def space_and_tenant(code: str, tenant_id: int) -> tuple[Space, Tenant] | None:
    """The space of that code and the tenant that a row refers to, in one query."""
    values = statements.first(_BOTH_SQL, [tenant_id, code])
    if values is None:
        return None
    return _space(values), _TENANT.read(values[_TO_TENANT:])


def _space(values: Row) -> Space:
    found = _SPACE.read(values[:_TO_TYPE])
    statements.refer(found, "type", _TYPE.read(values[_TO_TYPE:_TO_FLOOR]))
    statements.refer(found, "floor", _FLOOR.read(values[_TO_FLOOR:_TO_TENANT]))
    return found


def tenant(tenant_id: int) -> Tenant:
    """The tenant that a row refers to."""
    return _TENANT.read(statements.rows(_TENANT_SQL, [tenant_id])[0])


def tenant_named(code: str) -> Tenant | None:
    """The tenant of that code."""
    values = statements.first(_TENANT_BY_CODE_SQL, [code])
    return None if values is None else _TENANT.read(values)
