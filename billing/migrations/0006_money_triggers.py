"""Documents open items, allocations count themselves, the ledger balances and stays as it is."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION billing_open_items() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO billing_openitem
           (invoice_id, tenant_id, gross_fen, settled_fen, issued_on, due_on, posted)
    SELECT id, tenant_id, gross_fen, 0, issued_on, due_on, false FROM documents
     WHERE status = 'issued' ORDER BY id
    ON CONFLICT (invoice_id) DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER billing_invoice_opened AFTER INSERT ON billing_invoice
    REFERENCING NEW TABLE AS documents FOR EACH STATEMENT EXECUTE FUNCTION billing_open_items();
CREATE TRIGGER billing_invoice_issued AFTER UPDATE ON billing_invoice
    REFERENCING NEW TABLE AS documents FOR EACH STATEMENT EXECUTE FUNCTION billing_open_items();
INSERT INTO billing_openitem
       (invoice_id, tenant_id, gross_fen, settled_fen, issued_on, due_on, posted)
SELECT id, tenant_id, gross_fen, 0, issued_on, due_on, false FROM billing_invoice
 WHERE status = 'issued' ORDER BY id;

CREATE FUNCTION billing_openitem_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR (OLD.invoice_id, OLD.tenant_id, OLD.gross_fen, OLD.issued_on, OLD.due_on)
            IS DISTINCT FROM (NEW.invoice_id, NEW.tenant_id, NEW.gross_fen, NEW.issued_on, NEW.due_on)
            OR (OLD.posted AND NOT NEW.posted) THEN
        RAISE EXCEPTION 'an open item says what its document says'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'billing_openitem_immutable';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER billing_openitem_guard BEFORE UPDATE OR DELETE ON billing_openitem
    FOR EACH ROW EXECUTE FUNCTION billing_openitem_guard();

CREATE FUNCTION billing_payment_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR (OLD.source, OLD.method, OLD.amount_fen, OLD.received_on, OLD.bank_reference)
            IS DISTINCT FROM
            (NEW.source, NEW.method, NEW.amount_fen, NEW.received_on, NEW.bank_reference)
            OR (OLD.tenant_id IS DISTINCT FROM NEW.tenant_id
                AND (NEW.tenant_id IS NULL
                     OR OLD.allocated_fen + OLD.moved_fen + OLD.refunded_fen <> 0))
            OR (OLD.voided_at IS NOT NULL AND NEW.voided_at IS DISTINCT FROM OLD.voided_at) THEN
        RAISE EXCEPTION 'payment % stays as it was received', OLD.id
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'billing_payment_immutable';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER billing_payment_guard BEFORE UPDATE OR DELETE ON billing_payment
    FOR EACH ROW EXECUTE FUNCTION billing_payment_guard();

CREATE FUNCTION billing_allocation_counts() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    payer bigint;
    earlier record;
BEGIN
    IF NEW.takes_back_id IS NOT NULL THEN
        SELECT payment_id, item_id, amount_fen INTO earlier
          FROM billing_allocation WHERE id = NEW.takes_back_id;
        IF (earlier.payment_id, earlier.item_id, earlier.amount_fen)
                IS DISTINCT FROM (NEW.payment_id, NEW.item_id, -NEW.amount_fen) THEN
            RAISE EXCEPTION 'an allocation is taken back as a whole'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'allocation_taken_back_whole';
        END IF;
    END IF;
    UPDATE billing_payment SET allocated_fen = allocated_fen + NEW.amount_fen
     WHERE id = NEW.payment_id RETURNING tenant_id INTO payer;
    UPDATE billing_openitem SET settled_fen = settled_fen + NEW.amount_fen
     WHERE invoice_id = NEW.item_id AND tenant_id = payer;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'payment % is not of the tenant of document %', NEW.payment_id, NEW.item_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'allocation_one_tenant';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER billing_allocation_counts AFTER INSERT ON billing_allocation
    FOR EACH ROW EXECUTE FUNCTION billing_allocation_counts();

CREATE FUNCTION billing_walletmove_counts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.kind = 'top_up' THEN
        INSERT INTO billing_wallet (tenant_id, balance_fen) VALUES (NEW.tenant_id, NEW.amount_fen)
        ON CONFLICT (tenant_id)
        DO UPDATE SET balance_fen = billing_wallet.balance_fen + EXCLUDED.balance_fen;
        IF NEW.payment_id IS NOT NULL THEN
            UPDATE billing_payment SET moved_fen = moved_fen + NEW.amount_fen
             WHERE id = NEW.payment_id;
        END IF;
        RETURN NULL;
    END IF;
    UPDATE billing_wallet SET balance_fen = balance_fen + NEW.amount_fen
     WHERE tenant_id = NEW.tenant_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the wallet is empty'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'wallet_never_negative';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER billing_walletmove_counts AFTER INSERT ON billing_walletmove
    FOR EACH ROW EXECUTE FUNCTION billing_walletmove_counts();

CREATE FUNCTION billing_refund_counts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE billing_payment SET refunded_fen = refunded_fen + NEW.amount_fen
     WHERE id = NEW.payment_id;
    RETURN NULL;
END $$;
CREATE TRIGGER billing_refund_counts AFTER INSERT ON billing_refund
    FOR EACH ROW EXECUTE FUNCTION billing_refund_counts();

CREATE FUNCTION billing_depositmove_counts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE billing_deposit
       SET taken_fen = taken_fen + CASE NEW.kind WHEN 'taken' THEN NEW.amount_fen ELSE 0 END,
           set_off_fen = set_off_fen + CASE NEW.kind WHEN 'set_off' THEN NEW.amount_fen ELSE 0 END,
           returned_fen = returned_fen
               + CASE NEW.kind WHEN 'returned' THEN NEW.amount_fen ELSE 0 END
     WHERE id = NEW.deposit_id;
    RETURN NULL;
END $$;
CREATE TRIGGER billing_depositmove_counts AFTER INSERT ON billing_depositmove
    FOR EACH ROW EXECUTE FUNCTION billing_depositmove_counts();

CREATE FUNCTION billing_entry_period() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(
        7302612, (extract(year FROM NEW."on") * 12 + extract(month FROM NEW."on"))::int);
    IF EXISTS (SELECT FROM billing_period
                WHERE month = date_trunc('month', NEW."on")::date AND closed) THEN
        RAISE EXCEPTION 'the books of % are closed', to_char(NEW."on", 'YYYY-MM')
            USING ERRCODE = 'check_violation', CONSTRAINT = 'entry_in_open_period';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER billing_entry_period BEFORE INSERT ON billing_entry
    FOR EACH ROW EXECUTE FUNCTION billing_entry_period();

CREATE FUNCTION billing_entry_balances() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    checked bigint;
    sums record;
BEGIN
    IF TG_TABLE_NAME = 'billing_entry' THEN checked := NEW.id; ELSE checked := NEW.entry_id; END IF;
    SELECT count(*) AS n, coalesce(sum(amount_fen), 0) AS total INTO sums
      FROM billing_posting WHERE entry_id = checked;
    IF sums.n < 2 OR sums.total <> 0 THEN
        RAISE EXCEPTION 'entry % has % postings with a sum of %', checked, sums.n, sums.total
            USING ERRCODE = 'check_violation', CONSTRAINT = 'entry_balances';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER billing_entry_balances AFTER INSERT ON billing_entry
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION billing_entry_balances();
CREATE CONSTRAINT TRIGGER billing_posting_balances AFTER INSERT ON billing_posting
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION billing_entry_balances();
"""

IMMUTABLE = (
    "entry", "posting", "allocation", "walletmove", "refund", "depositmove",
)  # fmt: skip
TRIGGERS = (
    ("invoice", "opened"), ("invoice", "issued"), ("openitem", "guard"), ("payment", "guard"),
    ("allocation", "counts"), ("walletmove", "counts"), ("refund", "counts"),
    ("depositmove", "counts"), ("entry", "period"), ("entry", "balances"), ("posting", "balances"),
)  # fmt: skip
FUNCTIONS = (
    "open_items", "openitem_guard", "payment_guard", "allocation_counts", "walletmove_counts",
    "refund_counts", "depositmove_counts", "entry_period", "entry_balances",
)  # fmt: skip

FORWARD += "".join(
    f"CREATE TRIGGER billing_{name}_immutable BEFORE UPDATE OR DELETE ON billing_{name}"
    f" FOR EACH ROW EXECUTE FUNCTION billing_immutable();\n"
    for name in IMMUTABLE
)
BACKWARD = "".join(
    [
        *(f"DROP TRIGGER billing_{n}_immutable ON billing_{n};\n" for n in IMMUTABLE),
        *(f"DROP TRIGGER billing_{table}_{n} ON billing_{table};\n" for table, n in TRIGGERS),
        *(f"DROP FUNCTION billing_{name}();\n" for name in FUNCTIONS),
    ]
)


class Migration(migrations.Migration):
    dependencies = [("billing", "0005_money_tables")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
