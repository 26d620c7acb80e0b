"""The bridge tells why it refused messages."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("devices", "0003_one_alarm_for_commands")]

    operations = [
        migrations.AddField(
            model_name="bridgeheartbeat",
            name="reasons",
            field=models.JSONField(
                blank=True, db_default={}, default=dict, help_text="refused, by reason"
            ),
        ),
    ]
