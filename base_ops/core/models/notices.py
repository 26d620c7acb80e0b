"""Notices: what people are to be told, who has read it, and each way by which it leaves."""

from django.db import models
from django.db.models import Q

from base_ops.core.models.people import Tenant, User


class Channel(models.TextChoices):
    """Ways out of the base; in-app needs none."""

    EMAIL = "email"
    WEBHOOK = "webhook"
    WECOM = "wecom"
    DINGTALK = "dingtalk"


class DeliveryStatus(models.TextChoices):
    """Waiting is also what is on its way: then `claimed_until` is ahead."""

    WAITING = "waiting"
    SENT = "sent"
    DEAD = "dead"
    EXPIRED = "expired"
    DROPPED = "dropped"


class Notice(models.Model):
    """One fact for one audience, written in the transaction of the deed that caused it.

    `audience` is text as `core.notifications.audiences` writes it; who that is turns out later.
    """

    kind = models.CharField(max_length=64)
    audience = models.CharField(max_length=120)
    dedup = models.CharField(max_length=160)
    params = models.JSONField(default=dict)
    urgent = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    fanned_at = models.DateTimeField(null=True, blank=True)
    problem = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["audience", "dedup"], name="notice_once"),
        ]
        indexes = [
            models.Index(fields=["id"], name="notice_to_fan", condition=Q(fanned_at__isnull=True)),
            models.Index(fields=["created_at"], name="notice_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} → {self.audience}"


class InboxItem(models.Model):
    """A notice in one user's inbox."""

    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="inbox")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["notice", "user"], name="inboxitem_once")]
        indexes = [
            models.Index(fields=["user", "created_at", "id"], name="inboxitem_of_user"),
            models.Index(
                fields=["user"], name="inboxitem_unread", condition=Q(read_at__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.notice_id} of {self.user_id}"


class Endpoint(models.Model):
    """Where messages go: a tenant's or the base's webhook or robot, or the one mail relay.

    Addresses (a robot's holds its key) and secrets are sealed; `host` is what may be shown.
    `failures` in a row open the breaker until `open_until`; `paced_until` keeps robots' limits.
    """

    code = models.CharField(max_length=16, unique=True)
    kind = models.CharField(max_length=8, choices=Channel)
    tenant = models.ForeignKey(
        Tenant, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    name = models.CharField(max_length=80)
    host = models.CharField(max_length=255, blank=True)
    url_sealed = models.TextField(blank=True)
    secret_sealed = models.TextField(blank=True)
    secret_shown_at = models.DateTimeField(null=True, blank=True)
    old_secret_sealed = models.TextField(blank=True)
    old_secret_until = models.DateTimeField(null=True, blank=True)
    kinds = models.JSONField(default=list, blank=True, help_text="of notices; none: all")
    language = models.CharField(max_length=2, choices=[("zh", "中文"), ("en", "English")])
    plain = models.BooleanField(default=False, help_text="text instead of markdown")
    active = models.BooleanField(default=True)
    inactive_reason = models.CharField(max_length=32, blank=True)
    removed_at = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0)
    open_until = models.DateTimeField(null=True, blank=True)
    paced_until = models.DateTimeField(null=True, blank=True)
    last_ok_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.CheckConstraint(name="endpoint_kind_known", condition=Q(kind__in=Channel)),
            models.CheckConstraint(
                name="endpoint_removed_is_inactive",
                condition=Q(removed_at__isnull=True) | Q(active=False),
            ),
            models.UniqueConstraint(
                fields=["kind"], name="endpoint_one_mail_relay", condition=Q(kind="email")
            ),
        ]

    def __str__(self) -> str:
        return self.code


class Delivery(models.Model):
    """One message to one endpoint (and, by e-mail, to one user): sent at least once, or dead.

    `created_at` is since when it is wanted: the notice's instant, or when somebody sent it again.
    """

    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="deliveries")
    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(
        User, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    status = models.CharField(max_length=8, choices=DeliveryStatus, default="waiting")
    attempts = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    claimed_until = models.DateTimeField(null=True, blank=True)
    attempted_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["notice", "endpoint", "user"],
                name="delivery_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                name="delivery_status_known", condition=Q(status__in=DeliveryStatus)
            ),
            models.CheckConstraint(
                name="delivery_ended_iff_over",
                condition=Q(status="waiting", ended_at__isnull=True)
                | (~Q(status="waiting") & Q(ended_at__isnull=False)),
            ),
        ]
        indexes = [
            models.Index(
                fields=["endpoint", "due_at", "id"],
                name="delivery_due",
                condition=Q(status="waiting"),
            ),
            models.Index(fields=["created_at", "id"], name="delivery_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.notice_id} to {self.endpoint_id}"


class NoticePreferences(models.Model):
    """What one user wants to be told, and when not to be disturbed.

    `choices` is kind → channel → wanted; what is not named follows the template.
    """

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="+")
    choices = models.JSONField(default=dict)
    quiet_from = models.TimeField(null=True, blank=True)
    quiet_to = models.TimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="noticepreferences_quiet_both",
                condition=Q(quiet_from__isnull=True, quiet_to__isnull=True)
                | Q(quiet_from__isnull=False, quiet_to__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"of {self.user_id}"
