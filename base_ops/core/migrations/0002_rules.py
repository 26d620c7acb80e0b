"""What models cannot say: extensions, and the audit trail that nobody rewrites."""

from django.contrib.postgres.operations import BtreeGistExtension
from django.db import migrations

APPEND_ONLY = """
CREATE FUNCTION core_refuse_rewrite() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON core_auditentry
    FOR EACH ROW EXECUTE FUNCTION core_refuse_rewrite();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON core_auditentry
    FOR EACH STATEMENT EXECUTE FUNCTION core_refuse_rewrite();
"""
UNDO = """
DROP TRIGGER audit_append_only ON core_auditentry;
DROP TRIGGER audit_no_truncate ON core_auditentry;
DROP FUNCTION core_refuse_rewrite();
"""


class Migration(migrations.Migration):
    dependencies = [("core", "0001_initial")]

    operations = [BtreeGistExtension(), migrations.RunSQL(APPEND_ONLY, UNDO)]
