"""Who does something: a person, the system itself, a device."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["user", "system", "device", "demo"]


@dataclass(frozen=True, slots=True)
class Actor:
    """Whoever acts, as audit rows and commands record it."""

    kind: Kind
    id: str
    label: str
    role: str = ""
    tenant_id: int | None = None

    @property
    def is_staff(self) -> bool:
        """Whether this is a person of the base, whatever the role."""
        return self.kind == "user" and self.tenant_id is None


SYSTEM = Actor(kind="system", id="system", label="system")
