"""Measurements in time: raw ones, and their rollups. The tables are made by migrations in SQL."""

from django.db import models

from devices.models.registry import Device


class Telemetry(models.Model):
    """Measurements of one device at one instant; daily partitions, dropped after 30 days.

    It has no unique key: `pk` serves reading only. `xid` is the transaction that wrote the row.
    """

    pk = models.CompositePrimaryKey("device", "at")
    device = models.ForeignKey(Device, on_delete=models.DO_NOTHING, related_name="+")
    at = models.DateTimeField()
    m = models.JSONField()

    class Meta:
        managed = False
        db_table = "devices_telemetry"

    def __str__(self) -> str:
        return f"{self.device_id} {self.at}"


class RollupMark(models.Model):
    """Up to which transaction a partition was rolled up into the next coarser table."""

    partition = models.CharField(max_length=63, primary_key=True)
    upto = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.partition} {self.upto}"
