"""The rules, version by version; `selectors.rulebook` reads them into a compiled book."""

from django.db import models
from django.db.models import Q


class RuleBook(models.Model):
    """One version of the rules, written once (trigger rulebook_append_only).

    In force is the newest version whose time has come. The digest is that of the document, so
    that a process can tell whether it has read this very one.
    """

    version = models.PositiveIntegerField(unique=True)
    valid_from = models.DateTimeField()
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=160, help_text="as the audit trail names them")
    note = models.CharField(max_length=240, blank=True)
    digest = models.CharField(max_length=16)
    document = models.JSONField()

    class Meta:
        ordering = ["-version"]
        constraints = [
            models.CheckConstraint(name="rulebook_version_positive", condition=Q(version__gt=0)),
        ]

    def __str__(self) -> str:
        return f"rules v{self.version}"
