"""What billing does by the clock."""

from base_ops.core.jobs import Job
from billing import services
from billing.services import auditing, crediting, late_fees, posting, reds, reminding

JOBS = [
    Job(name="issue_invoice_runs", every_s=1, run=services.issue_due),
    Job(name="post_documents", every_s=5, run=posting.post_documents),
    Job(name="apply_credit_notes", every_s=5, run=crediting.apply_credit_notes),
    Job(name="expire_red_letters", every_s=60, run=reds.expire_due),
    Job(name="self_audit", every_s=600, run=auditing.audit_due),
    Job(name="charge_late_fees", every_s=3600, run=late_fees.charge_late_fees),
    Job(name="remind_debtors", every_s=900, run=reminding.remind),
]
