from django.db import migrations, models

FORWARD = """
CREATE TRIGGER billing_termsrow_immutable BEFORE UPDATE OR DELETE ON billing_termsrow
    FOR EACH ROW EXECUTE FUNCTION billing_immutable();
"""
BACKWARD = "DROP TRIGGER billing_termsrow_immutable ON billing_termsrow;"


class Migration(migrations.Migration):
    dependencies = [("billing", "0003_run_failed")]

    operations = [
        migrations.CreateModel(
            name="TermsRow",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("fingerprint", models.CharField(max_length=12, unique=True)),
                ("terms", models.JSONField()),
                ("loaded_at", models.DateTimeField()),
            ],
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
