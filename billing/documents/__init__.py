"""Documents as PDF."""

from billing.documents.pdf import etag, render

__all__ = ["etag", "render"]
