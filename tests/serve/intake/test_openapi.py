"""The OpenAPI document, compared with the routes, the code and the answers. conftest.py compares every other answer."""

from __future__ import annotations

import ast
import hmac
import json
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from starlette.routing import Route

from hookctl import serve
from hookctl.errors import ChangedError, IntakeRefusedError, StateLockedError, StoreError
from hookctl.model.api_problems import PROBLEMS
from hookctl.model.secret import SecretReference
from hookctl.model.token import Scope, Token, new_token, token_digest, token_id
from hookctl.plugin.host import load_plugins
from hookctl.serve import deliveries, intake, openapi, pages
from hookctl.serve.access.guessing import Failures
from hookctl.serve.access.requirements import every_route, required_scope
from hookctl.serve.access.signed import PREFIX
from hookctl.serve.intake.forms import LINES, Form, form_of
from hookctl.serve.intake.results import INVALID, KINDS, failure
from hookctl.serve.openapi.document import make_document
from hookctl.serve.openapi.operations import BODIES, OPERATIONS
from hookctl.serve.openapi.schemas import event_schema

Site = Any  # of conftest.py
DIALECT = "https://json-schema.org/draft/2020-12/schema"
SECRET = "the secret of the provider"
POST = next(operation for operation in OPERATIONS if operation.id == "post_events")


def test_every_route_of_the_api_is_described_with_its_scope() -> None:
    routes = every_route([*intake.ROUTES, *openapi.ROUTES, *pages.ROUTES, *deliveries.ROUTES])
    described = {
        (method.lower(), route.path.replace(":path", "")): required_scope(route)
        for route in routes
        if isinstance(route, Route) and route.path.startswith("/v1/")
        for method in (route.methods or set()) - {"HEAD"}
    }
    described["post", f"{PREFIX}{{id}}"] = None  # not a route: access makes of it a request of another path
    assert {(one.method, one.path): one.scope for one in OPERATIONS} == described


def test_the_document_is_for_those_who_may_read(site: Site) -> None:
    document = site.get("/v1/openapi.json").json
    assert document == make_document({name: one.schema for name, one in load_plugins().event_types.items()})
    assert document["openapi"] == "3.1.0"
    for schema in document["components"]["schemas"].values():
        jsonschema_rs.meta.validate({"$schema": DIALECT, **schema})
    assert site.get("/v1/openapi.json", site.token("only", Scope.INTAKE)).status == 403


def test_every_form_is_described() -> None:
    forms = {form_of({b"content-type": media.encode()}) for media in BODIES}
    assert forms == set(Form) - {Form.BINARY}
    assert all(media in BODIES or f"`{media}`" in POST.description for media in LINES)


def in_code() -> Iterator[ast.AST]:
    for path in Path(serve.__path__[0]).rglob("*.py"):
        if path.parent.name != "openapi":
            yield from ast.walk(ast.parse(path.read_text(encoding="utf-8")))


def test_the_problems_are_those_in_the_code() -> None:
    texts = {node.value for node in in_code() if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    assert PROBLEMS.keys() <= texts
    found = by_value = 0
    for node in in_code():
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in {"problem", "ProblemError"}
        ):
            kind = next((one.value for one in node.keywords if one.arg == "type"), None)
            if isinstance(kind, ast.Name):
                by_value += 1
            elif isinstance(kind, ast.Constant) and isinstance(node.args[0], ast.Constant):
                assert PROBLEMS[str(kind.value)][0] == node.args[0].value, kind.value
                found += 1
    assert found > 15
    assert by_value == 4  # ProblemError itself, and the three of intake.results
    for status, name, _ in (*KINDS.values(), INVALID):
        assert PROBLEMS[name][0] == status
    for error in (StoreError("x"), StateLockedError("x"), IntakeRefusedError("x"), ChangedError("x")):
        made = failure(error)
        assert PROBLEMS[made.type][0] == made.response.status_code
    assert PROBLEMS.keys() - {"method-not-allowed"} == {name for one in OPERATIONS for name in one.problems}


def test_a_path_has_only_its_methods(site: Site) -> None:
    headers = {"Authorization": f"Bearer {site.token()}"}
    answer = site.request("PUT", "/v1/events", b"", headers)
    assert (answer.status, answer.problem, answer.headers["allow"]) == (405, "method-not-allowed", "POST")
    answer = site.request("DELETE", "/v1/events/e1", None, headers)
    assert (answer.status, answer.problem) == (405, "method-not-allowed")
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD"}


@pytest.mark.parametrize(
    ("headers", "problem"),
    [
        ({}, "token-missing"),
        ({"Authorization": "Bearer x"}, "token-refused"),
        ({"Host": "elsewhere.example.com"}, "host-unknown"),
        ({"Origin": "http://elsewhere.example.com"}, "cross-site-write"),
    ],
)
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
def test_what_access_refuses(site: Site, operation: Any, headers: dict[str, str], problem: str) -> None:
    answer = site.request(operation.method.upper(), operation.path.replace("{id}", "x"), None, headers)
    assert answer.status == PROBLEMS[answer.problem][0]
    if problem in operation.problems and operation.scope is not None:
        assert answer.problem == problem


def test_too_many_failures(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site.access, "failures", Failures())
    for operation in OPERATIONS:
        path = operation.path.replace("{id}", "x")
        problems = [
            site.request(operation.method.upper(), path, None, {"Authorization": f"Bearer hookctl_{number}_x"}).problem
            for number in range(11)
        ]
        assert problems[-1] == "too-many-failures"


@pytest.fixture
def github(site: Site, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Posts JSON as GitHub does, with a token of its own that wraps it as an anomaly; or sends it to another path."""
    monkeypatch.setattr(site.access, "read_secret", lambda _: SECRET)
    name = token_id(text := new_token())
    reference = str(SecretReference("env", "GITHUB"))
    values: dict[str, Any] = {"created_at": time.time(), "created_by": "ada@laptop"}
    values |= {"scopes": frozenset({Scope.INTAKE}), "signature": "github", "secrets": (reference,), "wrap": "anomaly"}
    site.store.add_token(Token(id=name, name=f"github-{name}", digest=token_digest(text), **values))
    site.access.tokens._read_at = float("-inf")

    def post(data: object, media_type: str = "application/json", path: str = "", **headers: str) -> Any:
        body = json.dumps(data).encode()
        signature = "sha256=" + hmac.new(SECRET.encode(), body, sha256).hexdigest()
        given = {"X-Hub-Signature-256": signature, "X-GitHub-Delivery": "d1", "Content-Type": media_type} | headers
        if path:
            return site.request("GET", path, body, {**given, "Authorization": f"Bearer {text}"})
        return site.request("POST", f"{PREFIX}{name}", body, given)

    return post


def test_signed_requests(site: Site, github: Callable[..., Any]) -> None:
    data = site.mock["data"]
    assert github(data).status == 202
    assert github(data).json["status"] == "duplicate"
    assert github({**data, "title": "other"}).problem == "event-changed"
    assert github({}, **{"X-GitHub-Delivery": "d2"}).problem == "event-invalid"
    assert github(data, "text/plain").problem == "payload-invalid"
    assert github(data, **{"X-Hub-Signature-256": "sha256=00"}).problem == "signature-refused"
    assert github({"x": "x" * (1 << 20)}).problem == "body-too-large"
    for path in ("/v1/events/e1", "/v1/openapi.json"):
        assert github(data, path=path).problem == "scope-missing"
        assert github(data, "text/plain", path).problem == "payload-invalid"
        assert github(data, path=path, **{"X-Hub-Signature-256": ""}).problem == "signature-refused"


def test_references_within_the_schema_of_an_event_type_lead_into_the_document() -> None:
    own: dict[str, Any] = {
        "$id": "urn:x",
        "$defs": {"a": {"type": "string"}},
        "properties": {"data": {}, "id": {"maxLength": 9}},
    }
    own["properties"] |= {"b": {"$ref": "#/$defs/a"}, "c": {"$ref": "urn:x#/$defs/a"}, "d": {"$ref": "urn:y"}}
    made: Any = event_schema("thing", own)
    place = "#/components/schemas/event.thing/$defs/a"
    assert [made["properties"][name]["$ref"] for name in "bcd"] == [place, place, "urn:y"]
    assert "$id" not in made
    assert (made["properties"]["id"]["maxLength"], made["properties"]["event_type"]) == (9, {"const": "thing"})
    assert made["required"] == ["id", "event_type", "event_time"]
