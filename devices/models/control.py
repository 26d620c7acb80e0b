"""What devices are told, by whom and by what right."""

from django.db import models
from django.db.models import Q

from base_ops.core.actors import Actor
from base_ops.core.models import Space, Tenant
from devices.domain import entitlement
from devices.domain.commands import IN_FLIGHT, OPEN, Status
from devices.domain.messages import Fence, Outgoing
from devices.domain.scenes import Scene
from devices.models.registry import Device


class Acted(models.Model):
    """The actor columns that commands and scene runs share."""

    actor_kind = models.CharField(max_length=8)
    actor_id = models.CharField(max_length=64)
    actor_label = models.CharField(max_length=160)
    actor_role = models.CharField(max_length=16, blank=True)
    actor_tenant_id = models.BigIntegerField(null=True, blank=True)

    class Meta:
        abstract = True

    @property
    def actor(self) -> Actor:
        """Who asked."""
        return Actor(
            kind=self.actor_kind,  # type: ignore[arg-type]  # written from an Actor only
            id=self.actor_id,
            label=self.actor_label,
            role=self.actor_role,
            tenant_id=self.actor_tenant_id,
        )


class Grant(models.Model):
    """A tenant may control the devices of a space until an instant."""

    space = models.ForeignKey(Space, on_delete=models.PROTECT, related_name="+")
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+")
    booking_code = models.CharField(max_length=32, unique=True)
    granted_at = models.DateTimeField()
    until = models.DateTimeField()
    epoch = models.PositiveIntegerField(default=1)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["space"], name="grant_live", condition=Q(revoked_at=None)),
        ]

    def __str__(self) -> str:
        return f"{self.booking_code} until {self.until:%H:%M}"

    @property
    def right(self) -> entitlement.Right:
        """As the pure rules take it."""
        return entitlement.Right(
            id=self.pk,
            tenant_id=self.tenant_id,
            booking_code=self.booking_code,
            until=self.until,
            epoch=self.epoch,
            revoked_at=self.revoked_at,
        )


class SceneRun(Acted):
    """One scene applied to one space; its progress is that of its commands."""

    id = models.CharField(primary_key=True, max_length=26)
    space = models.ForeignKey(Space, on_delete=models.PROTECT, related_name="+")
    scene = models.CharField(max_length=16, choices=[(s, s) for s in Scene])
    booking_code = models.CharField(max_length=32, blank=True)
    until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    before = models.JSONField(
        default=dict, db_default={}, blank=True, help_text="device → what it changed, as it was"
    )

    class Meta:
        indexes = [models.Index(fields=["space", "-created_at"], name="scenerun_space")]

    def __str__(self) -> str:
        return f"{self.scene} {self.id}"


class Command(Acted):
    """One instruction to one device. The table is the outbox: queued rows are yet to be sent."""

    id = models.CharField(primary_key=True, max_length=26)
    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="commands")
    op = models.CharField(max_length=8, default="set")
    state = models.JSONField()
    status = models.CharField(
        max_length=8, default=Status.QUEUED, choices=[(s, s) for s in Status]
    )
    code = models.CharField(max_length=64, blank=True, help_text="why it ended as it did")
    if_v = models.BigIntegerField(null=True, blank=True)
    booking_code = models.CharField(max_length=32, blank=True)
    grant = models.ForeignKey(
        Grant, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    grant_epoch = models.PositiveIntegerField(null=True, blank=True)
    scene_run = models.ForeignKey(
        SceneRun, on_delete=models.CASCADE, null=True, blank=True, related_name="commands"
    )
    override = models.BooleanField(default=False, help_text="staff override of the interlock")
    test = models.BooleanField(
        default=False, db_default=False, help_text="of a commissioning test: maintenance obeys too"
    )
    created_at = models.DateTimeField()
    not_before = models.DateTimeField(null=True, blank=True, help_text="its turn in a scene")
    expires_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    acked_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["id"], name="command_queue", condition=Q(status=Status.QUEUED)),
            models.Index(
                fields=["device", "id"], name="command_open", condition=Q(status__in=OPEN)
            ),
            models.Index(
                fields=["expires_at"], name="command_expiry", condition=Q(status__in=OPEN)
            ),
            models.Index(fields=["device", "-created_at"], name="command_history"),
        ]
        constraints = [
            models.CheckConstraint(
                name="command_expires_after_creation",
                condition=Q(expires_at__gt=models.F("created_at")),
            ),
            models.CheckConstraint(
                name="command_sent_when_in_flight",
                condition=~Q(status__in=IN_FLIGHT) | Q(sent_at__isnull=False),
            ),
            models.CheckConstraint(
                name="command_ended_iff_closed",
                condition=Q(status__in=OPEN, ended_at=None)
                | (~Q(status__in=OPEN) & Q(ended_at__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.id} {self.status}"

    @property
    def outgoing(self) -> Outgoing:
        """As a codec encodes it; `device` and `grant` must be loaded."""
        return Outgoing(
            id=self.id,
            device=self.device.code,
            op=self.op,
            state=self.state,
            expires_at=self.expires_at,
            if_v=self.if_v,
            actor=f"{self.actor_kind}:{self.actor_id}",
            booking=self.booking_code or None,
            fence=self._fence,
        )

    @property
    def _fence(self) -> Fence | None:
        if self.grant is None or self.grant_epoch is None:
            return None
        return Fence(self.grant.pk, self.grant_epoch, self.grant.until)
