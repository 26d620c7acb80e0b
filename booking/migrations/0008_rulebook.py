"""The rules in versions, which are written once."""

from django.db import migrations, models

APPEND_ONLY = """
CREATE TRIGGER rulebook_append_only BEFORE UPDATE OR DELETE ON booking_rulebook
    FOR EACH ROW EXECUTE FUNCTION core_refuse_rewrite();
CREATE TRIGGER rulebook_no_truncate BEFORE TRUNCATE ON booking_rulebook
    FOR EACH STATEMENT EXECUTE FUNCTION core_refuse_rewrite();
"""
UNDO = """
DROP TRIGGER rulebook_append_only ON booking_rulebook;
DROP TRIGGER rulebook_no_truncate ON booking_rulebook;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("booking", "0007_blackouts_doors_handovers"),
        ("core", "0002_rules"),
    ]

    operations = [
        migrations.CreateModel(
            name="RuleBook",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("version", models.PositiveIntegerField(unique=True)),
                ("valid_from", models.DateTimeField()),
                ("created_at", models.DateTimeField()),
                (
                    "created_by",
                    models.CharField(help_text="as the audit trail names them", max_length=160),
                ),
                ("note", models.CharField(blank=True, max_length=240)),
                ("digest", models.CharField(max_length=16)),
                ("document", models.JSONField()),
            ],
            options={
                "ordering": ["-version"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("version__gt", 0)), name="rulebook_version_positive"
                    )
                ],
            },
        ),
        migrations.RunSQL(APPEND_ONLY, UNDO),
    ]
