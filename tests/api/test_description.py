"""The API's own description: complete, and true where no request tells."""

from collections import defaultdict
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any, get_args

import ninja
import pytest
from django.test import Client

from base_ops.api import api
from base_ops.core import errors, openapi, registry
from base_ops.management.commands.list_problems import table

ROOT = Path(__file__).resolve().parents[2]


def test_every_operation_refuses_with_problems_only() -> None:
    for _, operation in openapi.operations(api.get_openapi_schema()):
        refusals = {s: a for s, a in operation["responses"].items() if s >= "400"}
        assert {"400", "413", "503"} <= refusals.keys(), operation["operationId"]
        assert all(set(a["content"]) == {openapi.PROBLEM} for a in refusals.values())


def test_no_two_schemas_share_a_name() -> None:
    """ninja would describe one by the other."""
    named: dict[str, set[type]] = defaultdict(set)
    for kind in _schemas(ninja.Schema):
        named[kind.__name__].add(kind)
        for field in kind.model_fields.values():
            for inner in _enums(field.annotation):
                named[inner.__name__].add(inner)

    assert {name: kinds for name, kinds in named.items() if len(kinds) > 1} == {}


def _schemas(kind: type[ninja.Schema]) -> Iterator[type[ninja.Schema]]:
    for below in kind.__subclasses__():
        if below.__module__.partition(".")[0] in registry.OURS and "[" not in below.__name__:
            yield below
        yield from _schemas(below)


def _enums(annotation: Any) -> Iterator[type]:
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        yield annotation
    for inner in get_args(annotation):
        yield from _enums(inner)


def test_edits_say_that_they_need_the_etag() -> None:
    edits = [op for verb, op in openapi.operations(api.get_openapi_schema()) if verb == "patch"]

    assert edits
    assert all("If-Match" in {p["name"] for p in op["parameters"]} for op in edits)


def test_a_pdf_is_described_as_one() -> None:
    paths = api.get_openapi_schema()["paths"]

    answer = paths["/api/v1/invoices/{number}/pdf"]["get"]["responses"]["200"]

    assert set(answer["content"]) == {"application/pdf"}


def test_every_code_is_listed_with_status_and_both_titles() -> None:
    listed = api.get_openapi_schema()["components"]["x-problems"]

    assert {"slot_taken", "bad_characters", "body_too_large", "overloaded"} <= listed.keys()
    for code, entry in listed.items():
        assert 400 <= entry["status"] <= 503, code
        assert entry["title_zh"] != entry["title_en"], code
        assert any("\u4e00" <= c <= "\u9fff" for c in entry["title_zh"]), code


def test_a_code_has_one_meaning() -> None:
    class Imposter(errors.Conflict):
        code, title_zh, title_en = "slot_taken", "别的意思", "Something else"

    Imposter.__module__ = "booking.imposter"

    with pytest.raises(registry.Ambiguous, match="slot_taken"):
        registry.entries()
    Imposter.__module__ = "tests"


def test_the_document_lists_what_there_is() -> None:
    """Made by `manage.py list_problems > docs/problems.md`."""
    assert (ROOT / "docs" / "problems.md").read_text("utf-8") == table()


@pytest.mark.django_db
@pytest.mark.parametrize(("path", "allowed"), [("/api/v1/ping", "GET"), ("/", "GET, HEAD")])
def test_another_method_is_a_problem_that_names_those_there_are(path: str, allowed: str) -> None:
    answer = Client().put(path)

    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert answer["Content-Type"] == openapi.PROBLEM
    assert answer["Allow"] == allowed


def test_fields_are_described_by_the_names_they_are_sent_with() -> None:
    """A trailing underscore is Python's: the operation lacks `by_alias`."""
    schemas = api.get_openapi_schema()["components"]["schemas"]
    fields = {(name, f) for name, said in schemas.items() for f in said.get("properties", {})}

    assert {(name, f) for name, f in fields if f.endswith("_")} == set()
