"""Tenants, the people who sign in, and their API tokens."""

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models import Q

from base_ops.core.actors import Actor


class Tenant(models.Model):
    """An organisation or person that rents."""

    code = models.CharField(max_length=16, unique=True)
    category = models.CharField(max_length=32)
    name_zh = models.CharField(max_length=160)
    short_zh = models.CharField(max_length=80)
    name_en = models.CharField(max_length=160)
    uscc = models.CharField(max_length=18, unique=True, null=True, blank=True)
    taxpayer_type = models.CharField(max_length=32, blank=True)
    town_street = models.CharField(max_length=64, blank=True)
    registered_in_panyu = models.BooleanField(default=False)
    industry = models.CharField(max_length=48, blank=True)
    employees = models.PositiveIntegerField(default=0)
    joined_on = models.DateField()
    compliance_rating = models.CharField(max_length=1, default="B")
    tags = models.JSONField(default=list, blank=True)
    billing_cycle = models.CharField(max_length=16, default="monthly")
    credit_limit_fen = models.BigIntegerField(default=0)
    invoice_type = models.CharField(max_length=64, blank=True)
    status = models.CharField(max_length=16, default="active")
    profile = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(
                name="tenant_rating_known", condition=Q(compliance_rating__in=["A", "B", "C", "D"])
            ),
            models.CheckConstraint(
                name="tenant_credit_not_negative", condition=Q(credit_limit_fen__gte=0)
            ),
        ]

    def __str__(self) -> str:
        return self.code


class Role(models.TextChoices):
    """What somebody may do; see PRODUCT: who uses it."""

    TENANT_ADMIN = "tenant_admin"
    TENANT_MEMBER = "tenant_member"
    MANAGER = "manager"
    TECHNICIAN = "technician"
    FINANCE = "finance"
    LIAISON = "liaison"
    ADMIN = "admin"


TENANT_ROLES = (Role.TENANT_ADMIN, Role.TENANT_MEMBER)


class UserManager(BaseUserManager["User"]):
    """Creates users by e-mail address."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Save a user; the password is hashed, and unusable when None."""
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.full_clean(exclude=["password"])
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Save an administrator who may also use Django's admin pages."""
        fields |= {"role": Role.ADMIN, "is_staff": True, "is_superuser": True}
        return self.create_user(email, password, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """Somebody who signs in: of a tenant, or of the base."""

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=80)
    role = models.CharField(max_length=16, choices=Role)
    tenant = models.ForeignKey(
        Tenant, on_delete=models.PROTECT, null=True, blank=True, related_name="users"
    )
    language = models.CharField(max_length=2, choices=[("zh", "中文"), ("en", "English")])
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False, help_text="may open Django's admin pages")

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        ordering = ["email"]
        constraints = [
            models.CheckConstraint(
                name="user_tenant_iff_tenant_role",
                condition=Q(role__in=TENANT_ROLES, tenant__isnull=False)
                | (~Q(role__in=TENANT_ROLES) & Q(tenant__isnull=True)),
            ),
        ]

    def __str__(self) -> str:
        return self.email

    @property
    def actor(self) -> Actor:
        """How audit rows and commands name this user."""
        return Actor(
            kind="user",
            id=str(self.pk),
            label=self.email,
            role=self.role,
            tenant_id=self.tenant_id,
        )


class ApiToken(models.Model):
    """A personal token for machines; only its SHA-256 is kept."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=12)
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.prefix}… {self.name}"
