"""What billing does by the clock."""

from base_ops.core.jobs import Job
from billing import services
from billing.services import posting

JOBS = [
    Job(name="issue_invoice_runs", every_s=1, run=services.issue_due),
    Job(name="post_documents", every_s=5, run=posting.post_documents),
]
