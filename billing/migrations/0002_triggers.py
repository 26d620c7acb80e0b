"""Charges, facts and issued invoices never change; the database itself refuses."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION billing_immutable() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% rows are immutable', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_TABLE_NAME || '_immutable';
END $$;

CREATE TRIGGER billing_charge_immutable BEFORE UPDATE OR DELETE ON billing_charge
    FOR EACH ROW EXECUTE FUNCTION billing_immutable();
CREATE TRIGGER billing_usagefact_immutable BEFORE UPDATE OR DELETE ON billing_usagefact
    FOR EACH ROW EXECUTE FUNCTION billing_immutable();

CREATE FUNCTION billing_invoiceline_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        RAISE EXCEPTION 'invoice lines are immutable'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'billing_invoiceline_immutable';
    END IF;
    IF (SELECT status FROM billing_invoice WHERE id = NEW.invoice_id) <> 'draft' THEN
        RAISE EXCEPTION 'invoice % is issued', NEW.invoice_id
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'billing_invoiceline_immutable';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER billing_invoiceline_guard BEFORE INSERT OR UPDATE OR DELETE ON billing_invoiceline
    FOR EACH ROW EXECUTE FUNCTION billing_invoiceline_guard();

CREATE FUNCTION billing_invoice_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    sums record;
BEGIN
    IF TG_OP = 'DELETE' OR OLD.status = 'issued' THEN
        RAISE EXCEPTION 'invoice % is immutable', OLD.number
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'billing_invoice_immutable';
    END IF;
    SELECT count(*) AS n, coalesce(sum(net_fen), 0) AS net, coalesce(sum(vat_fen), 0) AS vat,
           coalesce(sum(gross_fen), 0) AS gross
      INTO sums FROM billing_invoiceline WHERE invoice_id = NEW.id;
    IF NEW.status = 'issued' AND (sums.n, sums.net, sums.vat, sums.gross)
            IS DISTINCT FROM (NEW.line_count::bigint, NEW.net_fen::numeric, NEW.vat_fen::numeric,
                              NEW.gross_fen::numeric) THEN
        RAISE EXCEPTION 'lines of invoice % do not add up to its totals', NEW.number
            USING ERRCODE = 'check_violation', CONSTRAINT = 'billing_invoice_adds_up';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER billing_invoice_guard BEFORE UPDATE OR DELETE ON billing_invoice
    FOR EACH ROW EXECUTE FUNCTION billing_invoice_guard();
"""

BACKWARD = """
DROP TRIGGER billing_invoice_guard ON billing_invoice;
DROP FUNCTION billing_invoice_guard();
DROP TRIGGER billing_invoiceline_guard ON billing_invoiceline;
DROP FUNCTION billing_invoiceline_guard();
DROP TRIGGER billing_usagefact_immutable ON billing_usagefact;
DROP TRIGGER billing_charge_immutable ON billing_charge;
DROP FUNCTION billing_immutable();
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
