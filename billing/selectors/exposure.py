"""What a tenant owes that no invoice asks for yet, as a part of a larger query."""

OPEN_CHARGES = (
    "(SELECT coalesce(sum(c.gross_fen), 0) FROM billing_charge c WHERE c.tenant_id = %(tenant)s"
    " AND NOT EXISTS (SELECT 1 FROM billing_invoiceline l WHERE l.charge_id = c.id))"
)
"""Charges without an invoice line, credits taken off; takes `tenant`, an id."""

PROOFS = (
    "SELECT e.key, max(e.valid_to) FROM billing_evidence e WHERE e.tenant_id = %(tenant)s"
    " AND e.key = ANY(%(documents)s) AND e.valid_from <= %(today)s GROUP BY e.key"
)
"""Evidence by key with its last day; takes `tenant`, an id, `documents`, the keys, and `today`."""
