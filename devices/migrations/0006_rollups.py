"""Telemetry rolled up by minute and hour, in months; raw rows remember who wrote them."""

from django.db import migrations, models

# What was there before bears transaction 0, and so is new to whoever rolls up first.
WRITERS = """
ALTER TABLE devices_telemetry ADD COLUMN xid bigint NOT NULL DEFAULT 0;
ALTER TABLE devices_telemetry ALTER COLUMN xid SET DEFAULT pg_current_xact_id()::text::bigint;
CREATE INDEX devices_telemetry_xid ON devices_telemetry
    USING brin (xid) WITH (pages_per_range = 32, autosummarize = on);
"""
ROLLUP = """
CREATE TABLE {table} (
    device_id bigint NOT NULL,
    at timestamptz NOT NULL,
    m jsonb NOT NULL,
    xid bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint,
    PRIMARY KEY (device_id, at)
) PARTITION BY RANGE (at);
COMMENT ON TABLE {table} IS
    'm: metric -> [count, min, max, sum, first, last, growth, resets] of the {grain} from "at" on';
CREATE INDEX {table}_xid ON {table}
    USING brin (xid) WITH (pages_per_range = 32, autosummarize = on);
"""


def _rollup(grain: str) -> migrations.RunSQL:
    table = f"devices_telemetry{grain}"
    return migrations.RunSQL(ROLLUP.format(table=table, grain=grain), f"DROP TABLE {table}")


class Migration(migrations.Migration):
    dependencies = [("devices", "0005_handover_alarm")]

    operations = [
        migrations.RunSQL(WRITERS, "ALTER TABLE devices_telemetry DROP COLUMN xid"),
        _rollup("minute"),
        _rollup("hour"),
        migrations.CreateModel(
            name="RollupMark",
            fields=[
                (
                    "partition",
                    models.CharField(max_length=63, primary_key=True, serialize=False),
                ),
                ("upto", models.BigIntegerField()),
            ],
        ),
    ]
