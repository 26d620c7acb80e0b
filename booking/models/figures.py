"""What figures need and no other row remembers."""

from django.db import models


class RefusalCount(models.Model):
    """How often a rule refused somebody on one Shanghai day; nobody's name in it."""

    day = models.DateField()
    rule = models.CharField(max_length=48)
    space_type = models.CharField(max_length=32, blank=True, help_text="empty: not known")
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["day", "rule", "space_type"], name="refusalcount_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.rule} {self.count}"
