"""Telemetry in daily partitions. Written by COPY; read by device and time."""

from django.db import migrations

CREATE = """
CREATE TABLE devices_telemetry (
    device_id bigint NOT NULL,
    at timestamptz NOT NULL,
    m jsonb NOT NULL
) PARTITION BY RANGE (at);
CREATE INDEX devices_telemetry_device_at ON devices_telemetry (device_id, at);
-- Each row is rewritten every few seconds: room on the page keeps that away from the index.
ALTER TABLE devices_shadow SET (fillfactor = 40, autovacuum_vacuum_scale_factor = 0.05);
"""


class Migration(migrations.Migration):
    dependencies = [("devices", "0001_initial")]
    operations = [migrations.RunSQL(CREATE, "DROP TABLE devices_telemetry")]
