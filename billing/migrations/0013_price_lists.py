"""Price lists that the base makes itself; once in force their documents never change."""

from django.db import migrations, models
from django.db.models import F, Q

FORWARD = """
CREATE SEQUENCE billing_pricebook_serial AS integer;
SELECT setval('billing_pricebook_serial', coalesce(max(serial), 0) + 1)
  FROM billing_pricebookversion;

CREATE FUNCTION billing_pricelist_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state = 'draft' THEN
        RETURN COALESCE(NEW, OLD);
    END IF;
    IF TG_OP = 'DELETE' OR NEW.state = 'draft' OR OLD.state = 'withdrawn'
            OR (NEW.document, NEW.fingerprint, NEW.valid_from, NEW.number)
               IS DISTINCT FROM (OLD.document, OLD.fingerprint, OLD.valid_from, OLD.number) THEN
        RAISE EXCEPTION 'price list % was in force', OLD.number
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'billing_pricelist_immutable';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER billing_pricelist_guard BEFORE UPDATE OR DELETE ON billing_pricelist
    FOR EACH ROW EXECUTE FUNCTION billing_pricelist_guard();
"""

BACKWARD = """
DROP SEQUENCE billing_pricebook_serial;
DROP TRIGGER billing_pricelist_guard ON billing_pricelist;
DROP FUNCTION billing_pricelist_guard();
"""

STATES = [("draft", "Draft"), ("active", "Active"), ("withdrawn", "Withdrawn")]


class Migration(migrations.Migration):
    dependencies = [("billing", "0012_self_audit")]

    operations = [
        migrations.CreateModel(
            name="PriceList",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField(unique=True)),
                ("name", models.CharField(max_length=80)),
                ("document", models.JSONField()),
                ("state", models.CharField(choices=STATES, default="draft", max_length=16)),
                ("valid_from", models.DateField(null=True)),
                ("fingerprint", models.CharField(blank=True, db_index=True, max_length=12)),
                ("changed_by", models.CharField(max_length=120)),
                ("changed_at", models.DateTimeField()),
                ("version", models.PositiveIntegerField(default=1)),
            ],
            options={
                "ordering": ["-number"],
                "constraints": [
                    models.UniqueConstraint(
                        F("valid_from"),
                        condition=Q(("state", "active")),
                        name="pricelist_one_from_a_day",
                    ),
                    models.CheckConstraint(
                        condition=Q(
                            Q(("fingerprint", ""), ("state", "draft"), ("valid_from", None)),
                            Q(
                                Q(("state", "draft"), _negated=True),
                                ("valid_from__isnull", False),
                                Q(("fingerprint", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="pricelist_in_force_has_a_day",
                    ),
                ],
            },
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
