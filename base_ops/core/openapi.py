"""What the API's description says beyond what ninja knows, so that every answer conforms to it.

- refusals are `application/problem+json`, whatever the operation;
- every operation may refuse the text of a request (400), its size (413), or be too busy (503);
- a file is described by its own media type alone;
- edits take `If-Match`;
- `components.x-problems` lists every code with its status and both titles.
"""

from collections.abc import Iterator
from typing import Any

from ninja import Router

from base_ops.core import registry

PROBLEM = "application/problem+json"
_JSON = "application/json"
_PROBLEM_REF = {"$ref": "#/components/schemas/Problem"}
_ALWAYS = {"400": "Bad Request", "413": "Content Too Large", "503": "Service Unavailable"}
_VERBS = frozenset({"get", "put", "post", "patch", "delete"})
_IF_MATCH = {
    "in": "header",
    "name": "If-Match",
    "required": False,
    "schema": {"title": "If-Match", "type": "string", "maxLength": 64},
    "description": "The ETag that was read; an edit without it is refused (428).",
}


def complete(schema: dict[str, Any]) -> dict[str, Any]:
    """`schema` itself, with what is missing."""
    for verb, operation in operations(schema):
        _describe_refusals(operation)
        _describe_files(operation)
        if verb in {"patch", "put"}:
            _describe_match(operation)
    schema["components"]["x-problems"] = {e.code: e.as_json() for e in registry.entries()}
    return schema


def send_by_alias(router: Router) -> None:
    """Let every answer name its fields by their aliases: `from` is a word of Python, not of ours.

    ninja describes a schema once, however many operations answer it, so all must do the same.
    """
    for item in router.path_operations.values():
        for operation in item.operations:
            operation.by_alias = True
    for _, below, _ in router._routers:  # noqa: SLF001 - there is no other way to them
        send_by_alias(below)


def operations(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every operation with its verb."""
    for item in schema["paths"].values():
        yield from ((verb, operation) for verb, operation in item.items() if verb in _VERBS)


def _describe_refusals(operation: dict[str, Any]) -> None:
    responses = {str(status): answer for status, answer in operation["responses"].items()}
    for status, text in _ALWAYS.items():
        responses.setdefault(
            status, {"description": text, "content": {_JSON: {"schema": dict(_PROBLEM_REF)}}}
        )
    for status, answer in responses.items():
        if status >= "400" and _JSON in answer.get("content", {}):
            answer["content"][PROBLEM] = answer["content"].pop(_JSON)
    operation["responses"] = dict(sorted(responses.items()))


def _describe_files(operation: dict[str, Any]) -> None:
    for status, answer in operation["responses"].items():
        content = answer.get("content", {})
        if status < "300" and len(content) > 1 and _is_binary(content.get(_JSON)):
            del content[_JSON]


def _is_binary(described: dict[str, Any] | None) -> bool:
    return described is not None and described.get("schema", {}).get("format") == "binary"


def _describe_match(operation: dict[str, Any]) -> None:
    parameters = operation.setdefault("parameters", [])
    if not any(p["name"].lower() == "if-match" for p in parameters):
        parameters.append(dict(_IF_MATCH))
