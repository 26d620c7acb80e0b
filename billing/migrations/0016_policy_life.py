"""Policies are written, in force or withdrawn; budgets say how often their limit was set."""

from django.db import migrations, models


FORWARD = """
CREATE FUNCTION billing_policyrow_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'policy versions are kept'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'billing_policyrow_immutable';
    END IF;
    IF (NEW.code, NEW.version, NEW.kind, NEW.name_zh, NEW.name_en, NEW.label_zh, NEW.label_en,
        NEW.funding, NEW.data)
            IS DISTINCT FROM (OLD.code, OLD.version, OLD.kind, OLD.name_zh, OLD.name_en,
                              OLD.label_zh, OLD.label_en, OLD.funding, OLD.data)
       OR (OLD.state <> 'draft' AND NEW.valid_from <> OLD.valid_from)
       OR (OLD.state <> 'draft' AND NEW.state = 'draft')
       OR (OLD.state = 'withdrawn' AND NEW.state <> 'withdrawn') THEN
        RAISE EXCEPTION 'policy % v% is immutable', OLD.code, OLD.version
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'billing_policyrow_immutable';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER billing_policyrow_guard BEFORE UPDATE OR DELETE ON billing_policyrow
    FOR EACH ROW EXECUTE FUNCTION billing_policyrow_guard();
"""
BACKWARD = """
DROP TRIGGER billing_policyrow_guard ON billing_policyrow;
DROP FUNCTION billing_policyrow_guard();
"""


class Migration(migrations.Migration):

    dependencies = [
        ("billing", "0015_claim_triggers"),
    ]

    operations = [
        migrations.AddField(
            model_name='budget',
            name='limit_version',
            field=models.PositiveIntegerField(db_default=1, default=1, help_text='how often somebody has set the limit'),
        ),
        migrations.AddField(
            model_name='charge',
            name='payer',
            field=models.CharField(choices=[('tenant', 'Tenant'), ('base', 'Base'), ('district', 'District')], db_default='tenant', default='tenant', help_text='of a discount: who bears what the tenant need not pay', max_length=12),
        ),
        migrations.AddField(
            model_name='policyrow',
            name='saved_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='policyrow',
            name='saved_by',
            field=models.CharField(blank=True, db_default='', max_length=160),
        ),
        migrations.AddField(
            model_name='policyrow',
            name='state',
            field=models.CharField(choices=[('draft', 'Draft'), ('active', 'Active'), ('withdrawn', 'Withdrawn')], db_default='active', default='active', max_length=12),
        ),
        migrations.AddConstraint(
            model_name='policyrow',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['draft', 'active', 'withdrawn'])), name='policy_state_known'),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
