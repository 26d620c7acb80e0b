"""Edits say which version they saw: ETag out, If-Match in."""

from django.http import HttpRequest

from base_ops.core import errors


def etag_of(version: int) -> str:
    """The ETag of a version."""
    return f'"{version}"'


def require_match(request: HttpRequest, version: int) -> None:
    """Let the edit through only when it saw `version`.

    Raises:
        errors.PreconditionRequired: no If-Match header.
        errors.PreconditionFailed: another version is current.
    """
    given = request.headers.get("If-Match")
    if given is None:
        raise errors.PreconditionRequired("send the ETag you read as If-Match")
    if given.strip() not in {etag_of(version), "*"}:
        raise errors.PreconditionFailed(
            f"the current version is {version}", current=etag_of(version)
        )
