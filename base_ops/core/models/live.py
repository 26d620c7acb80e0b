"""Live topics: the current state of each projection and a short log of its changes."""

from django.db import models


class LiveTopic(models.Model):
    """One projection: `state` after `seq` changes since `epoch` began."""

    name = models.CharField(max_length=80, primary_key=True)
    epoch = models.CharField(max_length=16)
    seq = models.BigIntegerField(default=0)
    state = models.JSONField(default=dict)
    updated_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name}@{self.seq}"


class LiveDelta(models.Model):
    """What change number `seq` of a topic set and removed."""

    topic = models.CharField(max_length=80)
    seq = models.BigIntegerField()
    set = models.JSONField(default=dict)
    unset = models.JSONField(default=list)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint("topic", "seq", name="livedelta_once")]

    def __str__(self) -> str:
        return f"{self.topic}@{self.seq}"
