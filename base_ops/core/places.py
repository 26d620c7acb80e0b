"""Spaces with their type and floor, and tenants, as every booking asks for them."""

from base_ops.core import statements
from base_ops.core.models import Floor, Space, SpaceType, Tenant
from base_ops.core.statements import Part

_SPACE = Part(Space, "s", without=["polygon", "label_xy"])
_TYPE = Part(SpaceType, "t")
_FLOOR = Part(Floor, "f", without=["outline"])
_TENANT = Part(Tenant, "c")
_ONE_SPACE = """
SELECT {columns} FROM core_space s
  JOIN core_spacetype t ON t.id = s.type_id JOIN core_floor f ON f.id = s.floor_id
 WHERE s.code = %s
"""
_SPACE_SQL = _ONE_SPACE.format(columns=f"{_SPACE.columns}, {_TYPE.columns}, {_FLOOR.columns}")
_ONE_TENANT = "SELECT {columns} FROM core_tenant c WHERE c.{by} = %s"
_TENANT_SQL = _ONE_TENANT.format(columns=_TENANT.columns, by="id")
_TENANT_BY_CODE_SQL = _ONE_TENANT.format(columns=_TENANT.columns, by="code")


def space(code: str) -> Space | None:
    """The space of that code, with its type and floor."""
    values = statements.first(_SPACE_SQL, [code])
    if values is None:
        return None
    found = _SPACE.read(values[: _SPACE.width])
    found.type = _TYPE.read(values[_SPACE.width : _SPACE.width + _TYPE.width])
    found.floor = _FLOOR.read(values[_SPACE.width + _TYPE.width :])
    return found


def tenant(tenant_id: int) -> Tenant:
    """The tenant that a row refers to."""
    return _TENANT.read(statements.rows(_TENANT_SQL, [tenant_id])[0])


def tenant_named(code: str) -> Tenant | None:
    """The tenant of that code."""
    values = statements.first(_TENANT_BY_CODE_SQL, [code])
    return None if values is None else _TENANT.read(values)
