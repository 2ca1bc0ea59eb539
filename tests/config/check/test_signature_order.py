"""The order of a list of auths: those that sign come last."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from requests.auth import AuthBase

from hookctl.model import Finding
from hookctl.plugin import AuthType, hookimpl
from hookctl.plugin.host import load_plugins

BLOCKS = {
    "bearer": '{type: bearer, token: "${env:T}"}',
    "headers": '{type: headers, headers: {X-Key: "${env:K}"}}',
    "hmac": '{type: hmac, preset: github, secret: "${env:S}"}',
    "standard": '{type: standard_webhooks, secret: "${env:S}"}',
}
WEBHOOK = "name: Siem\nevent: anomaly\nurl: https://siem.example.com/\nauth:\n"


def webhook(*names: str) -> str:
    return WEBHOOK + "".join(f"  - {BLOCKS[name]}\n" for name in names)


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["bearer", "hmac"], []),
        (["bearer", "headers"], []),
        (["hmac", "standard"], []),
        (["bearer", "hmac", "standard"], []),
        (["hmac"], []),
        (["hmac", "bearer"], [("hmac", "bearer")]),
        (["bearer", "hmac", "headers"], [("hmac", "headers")]),
        (["standard", "hmac", "bearer", "headers"], [("standard_webhooks", "bearer"), ("hmac", "bearer")]),
    ],
)
def test_auths_that_sign_come_last(
    check: Callable[..., list[Finding]], names: list[str], found: list[tuple[str, str]]
) -> None:
    findings = [finding for finding in check(webhook(*names)) if finding.rule == "signature-not-last"]
    assert [finding.message for finding in findings] == [
        f"auth {signing} signs the request, but auth {other} changes it afterwards" for signing, other in found
    ]
    assert all(finding.is_error for finding in findings)


def test_the_finding_is_at_the_auth_that_signs(check: Callable[..., list[Finding]]) -> None:
    (finding,) = check(webhook("bearer", "hmac", "headers"))
    assert finding.span is not None
    assert (finding.span.line, finding.hint) == (6, "Move hmac to the end of the list.")


def test_only_what_signs_is_declared_so() -> None:
    assert {name for name, kind in load_plugins().auth.items() if kind.signs} == {"hmac", "standard_webhooks"}


def test_an_auth_of_a_third_party_that_declares_it(check: Callable[..., list[Finding]]) -> None:
    def build(*_: object) -> AuthBase:
        raise AssertionError("a check builds nothing")

    class Acme:
        @hookimpl
        def hookctl_auth_types(self) -> list[AuthType]:
            return [
                AuthType(name="own", summary="", schema={"type": "object"}, build=build, signs=True),
                AuthType(name="other", summary="", schema={"type": "object"}, build=build),
            ]

    plugins = load_plugins([Acme()])
    findings = check(f"{WEBHOOK}  - {{type: own}}\n  - {{type: other}}\n", plugins=plugins)
    assert [finding.rule for finding in findings] == ["signature-not-last"]
    assert check(f"{WEBHOOK}  - {{type: other}}\n  - {{type: own}}\n", plugins=plugins) == []
