"""Which rules judged a booking, which of them were waived, and which ask for approval."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("booking", "0011_search_index")]

    operations = [
        migrations.AddField(
            model_name="booking",
            name="rules_version",
            field=models.PositiveIntegerField(
                blank=True,
                help_text="of the rules that judged it; none judged imported ones",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="booking",
            name="approvals",
            field=models.JSONField(
                blank=True,
                db_default=[],
                default=list,
                help_text="rules that ask for the base's approval",
            ),
        ),
        migrations.AddField(
            model_name="booking",
            name="waived",
            field=models.JSONField(
                blank=True,
                db_default=[],
                default=list,
                help_text="broken rules that were overridden",
            ),
        ),
    ]
