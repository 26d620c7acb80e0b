"""One alarm per device for commands that failed or ran out; expiry had its own."""

from django.db import migrations, models

CODES = ("command_failed", "device_offline", "uplink_bad", "device_fault", "not_ready")
CLEAR = """
UPDATE devices_alarm SET cleared_at = now() WHERE code = 'command_expired' AND cleared_at IS NULL
"""


class Migration(migrations.Migration):
    dependencies = [("devices", "0002_telemetry")]

    operations = [
        migrations.RunSQL(CLEAR, migrations.RunSQL.noop),
        migrations.AlterField(
            model_name="alarm",
            name="code",
            field=models.CharField(choices=[(code, code) for code in CODES], max_length=24),
        ),
    ]
