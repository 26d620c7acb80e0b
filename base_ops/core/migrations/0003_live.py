"""One call publishes any number of topics; whoever changes an account tells the sockets."""

from django.db import migrations

PUBLISH = """
CREATE FUNCTION core_live_publish(changes jsonb, happened timestamptz) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    change record;
    head record;
BEGIN
    FOR change IN
        SELECT c->>0 AS topic, c->>1 AS epoch, c->2 AS given, c->3 AS gone
        FROM jsonb_array_elements(changes) AS c ORDER BY (c->>0) COLLATE "C"
    LOOP
        INSERT INTO core_livetopic AS t (name, epoch, seq, state, updated_at)
        VALUES (change.topic, change.epoch, 1, change.given, happened)
        ON CONFLICT (name) DO UPDATE SET
            seq = t.seq + 1,
            state = (t.state - ARRAY(SELECT jsonb_array_elements_text(change.gone))) || change.given,
            updated_at = happened
        RETURNING t.seq, t.epoch INTO head;
        INSERT INTO core_livedelta (topic, seq, set, unset, at)
        VALUES (change.topic, head.seq, change.given, change.gone, happened);
        PERFORM pg_notify('live', change.topic || ' ' || head.seq || ' ' || head.epoch);
    END LOOP;
END $$;
"""

AUTHZ = """
CREATE FUNCTION core_tell_authz() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('authz', '');
    RETURN NULL;
END $$;
CREATE TRIGGER user_authz
    AFTER UPDATE OF is_active, role, tenant_id, password OR DELETE ON core_user
    FOR EACH STATEMENT EXECUTE FUNCTION core_tell_authz();
CREATE TRIGGER apitoken_authz
    AFTER UPDATE OF revoked_at, expires_at OR DELETE ON core_apitoken
    FOR EACH STATEMENT EXECUTE FUNCTION core_tell_authz();
CREATE TRIGGER session_authz AFTER DELETE ON django_session
    FOR EACH STATEMENT EXECUTE FUNCTION core_tell_authz();
"""
UNDO_AUTHZ = """
DROP TRIGGER session_authz ON django_session;
DROP TRIGGER apitoken_authz ON core_apitoken;
DROP TRIGGER user_authz ON core_user;
DROP FUNCTION core_tell_authz();
"""


class Migration(migrations.Migration):
    dependencies = [("core", "0002_rules"), ("sessions", "0001_initial")]

    operations = [
        migrations.RunSQL(PUBLISH, "DROP FUNCTION core_live_publish(jsonb, timestamptz);"),
        migrations.RunSQL(AUTHZ, UNDO_AUTHZ),
    ]
