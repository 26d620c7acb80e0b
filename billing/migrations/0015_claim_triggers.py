"""Late fees that were charged and reminders that were sent stay as they are."""

from django.db import migrations

TABLES = ("latefee", "reminder", "dunningplan")


class Migration(migrations.Migration):
    dependencies = [("billing", "0014_claims_and_dunning")]
    operations = [
        migrations.RunSQL(
            f"CREATE TRIGGER billing_{name}_immutable BEFORE UPDATE OR DELETE ON billing_{name}"
            " FOR EACH ROW EXECUTE FUNCTION billing_immutable();",
            f"DROP TRIGGER billing_{name}_immutable ON billing_{name};",
        )
        for name in TABLES
    ]
