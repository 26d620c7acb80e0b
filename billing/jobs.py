"""What billing does by the clock."""

from base_ops.core.jobs import Job
from billing import services

JOBS = [Job(name="issue_invoice_runs", every_s=1, run=services.issue_due)]
