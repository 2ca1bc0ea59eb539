from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from urllib3.util import parse_url

from hookctl.network import check_url
from hookctl.network.url import MAX_URL_LENGTH, split_url

GOOD = [
    "https://siem.example.com",
    "https://siem.example.com/",
    "https://siem.example.com/ingest?team=a&x=1/2?3",
    "https://siem.example.com?x=/../y",
    "https://xn--mnchen-3ya.example/%C3%A9",
    "https://a.example/${env:PATH_KEY}/x?token=${file:/run/secrets/t}",
    "https://127.example/",
    "https://a.example/..hidden/.well-known/a..b",
]
BAD = [
    ("http://a.example/", "url-scheme", "http"),
    ("HTTPS://a.example/", "url-scheme", "HTTPS"),
    ("a.example/x", "url-scheme", "a.example/x"),
    ("//a.example/x", "url-scheme", "//a.example/x"),
    ("", "url-scheme", ""),
    ("javascript:alert(1)", "url-scheme", "javascript"),
    ("https:/a.example/", "url-host-missing", "https:/a.example/"),
    ("https:///x", "url-host-missing", "/"),
    ("https://", "url-host-missing", "/"),
    ("https://a.example:443/", "url-port", ":443"),
    ("https://a.example:8443/", "url-port", ":8443"),
    ("https://a.example:/", "url-port", ":"),
    ("https://user:pass@a.example/", "url-user-info", "user:pass@"),
    ("https://a.example@b.example/", "url-user-info", "a.example@"),
    ("https://127.0.0.1/", "url-ip-literal", "127.0.0.1"),
    ("https://[::1]/", "url-ip-literal", "[::1]"),
    ("https://[::1]:443/", "url-ip-literal", "[::1]"),
    ("https://2130706433/", "url-ip-literal", "2130706433"),
    ("https://0x7f000001/", "url-ip-literal", "0x7f000001"),
    ("https://127.1/", "url-ip-literal", "127.1"),
    ("https://169.254.43518/", "url-ip-literal", "169.254.43518"),
    ("https://0x7F.1./", "url-ip-literal", "0x7F.1."),
    ("https://a.example.0x/", "url-ip-literal", "a.example.0x"),
    ("https://a.example/\tx", "url-character", "\t"),
    ("https://a\t.example/", "url-character", "\t"),
    ("https://a.example/x\r\nX: y", "url-character", "\r\n"),
    ("https://a.example/\0", "url-character", "\0"),
    ("https://a.example/a b", "url-character", " "),
    ("https://a.example/é", "url-character", "é"),
    ("https://a.example/%zz", "url-character", "%"),
    ("https://a.example/${env:}", "url-character", "${env:}"),
    ("https://a.example/${env}/x", "url-character", "${env}"),
    ("https://a.example/x?k=${K}", "url-character", "${K}"),
    ("https://${TENANT}.example/x", "url-host-invalid", "${TENANT}"),
    ("https://127.0.0.1\\@a.example/", "url-backslash", "\\"),
    ("https://a.example\\.b.example/", "url-backslash", "\\"),
    ("https://%31%32%37.0.0.1/", "url-host-encoded", "%31%32%37.0.0.1"),
    ("https://a.example./", "url-host-invalid", "a.example."),
    ("https://A.example/", "url-host-invalid", "A.example"),
    ("https://münchen.example/", "url-host-invalid", "münchen.example"),
    ("https://\uff11\uff12\uff17.0.0.1/", "url-ip-literal", "\uff11\uff12\uff17.0.0.1"),  # full-width digits
    ("https://\uff41.example/", "url-host-invalid", "\uff41.example"),
    ("https://a_b.example/", "url-host-invalid", "a_b.example"),
    ("https://-a.example/", "url-host-invalid", "-a.example"),
    ("https://" + "a" * 64 + ".example/", "url-host-invalid", "a" * 64 + ".example"),
    ("https://" + "a." * 127 + "example/", "url-host-invalid", "a." * 127 + "example"),
    ("https://${env:HOST}/", "url-host-invalid", "${env:HOST}"),
    ("https://${file:/run/host}/x", "url-host-invalid", "${file:/run/host}"),
    ("https://a.example/#top", "url-fragment", "#top"),
    ("https://a.example/x/../y", "url-invalid", ".."),
    ("https://a.example/%2E%2e?x", "url-invalid", "%2E%2e"),
    ("https://a.example/" + "x" * MAX_URL_LENGTH, "url-invalid", "x" * len("https://a.example/")),
]


@pytest.mark.parametrize("url", GOOD)
def test_accepted(url: str) -> None:
    assert check_url(url) == ()


@pytest.mark.parametrize(("url", "rule", "marked"), BAD)
def test_refused_with_its_rule_and_place(url: str, rule: str, marked: str) -> None:
    assert (rule, marked) in [(problem.rule, url[problem.start : problem.end]) for problem in check_url(url)]
    assert split_url(url) is None


def test_every_problem_is_found_at_once() -> None:
    assert {problem.rule for problem in check_url("http://u@127.0.0.1:80/a b#c")} == {
        "url-scheme",
        "url-user-info",
        "url-ip-literal",
        "url-port",
        "url-character",
        "url-fragment",
    }


def test_a_reference_is_no_url_to_dial() -> None:
    assert split_url("https://a.example/${env:X}") is None


@given(st.text(alphabet="htps:/\\@.#?%&[]a1x0-_~ \t\n{}$é", max_size=40).map("https://".__add__) | st.text(max_size=30))
def test_accepted_is_what_other_parsers_read_the_same(url: str) -> None:
    parts = split_url(url)
    if check_url(url):
        assert parts is None
    elif parts:
        python, urllib3 = urlsplit(url), parse_url(url)
        assert (python.hostname, urllib3.host, urllib3.port, urllib3.auth) == (parts[0], parts[0], None, None)
        assert (python.netloc, python.fragment) == (parts[0], "")
