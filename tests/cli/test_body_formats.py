"""Targets that take other bodies than JSON: rendered, tested, applied, sent, recorded and replayed, over TLS.

Each target parses what it gets with a reader of its own, and answers 400 to anything else than it expects.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl
from xml.parsers import expat

import pytest

from hookctl.plugin.host import load_plugins
from hookctl.testing.answers import Answer, ReceivedRequest
from hookctl.testing.receiver import Receiver

CANARY = 'canary&in="the+<body>'
WRITTEN = {
    "twilio": ["canary%26in%3D%22the%2B%3Cbody%3E"],
    "splunk": ['canary&in=\\"the+<body>'],
    "elasticsearch": [],
    "soap": ["canary&amp;in=&quot;the+&lt;body&gt;", 'canary&amp;in="the+&lt;body&gt;'],
    "text": [CANARY],
}
"""How the secret is written in the body for each target."""
HOSTILE = '</Title><admin/>\r\n"}\n{"delete": {}}&admin=true\x00]]>\'\u2028'
WEBHOOKS = {
    "twilio": """\
form:
  To: "+15550100"
  From: "+15550199"
  Body: "{{ {'High': 'P1'}[data.severity] | default('P3') }}: {{ data.title }}{{ ', now' if data.severity == 'High' }}"
  Key: "key ${env:CANARY}"
""",
    "splunk": """\
headers: {Authorization: "Splunk ${env:CANARY_TOKEN}"}
body_format: ndjson
body_template: |
  {% set level = data.severity | lower %}
  [
    {"event": {{ data }}, "sourcetype": "access:anomaly", "time": {{ event_time }}, "fields": {"level": "{{ level }}"},
     "key": "${env:CANARY}"},
    {"event": "{{ data.title }}", "sourcetype": "access:title"}
  ]
""",
    "elasticsearch": """\
body_format: ndjson
body_template: |
  [
    {"index": {"_index": "anomalies", "_id": "{{ data.id ~ '-1' }}"}},
    {"title": "{{ data.title }}", "severity": "{{ data.severity }}"}
    {% for request in [data.request] if request.id != '' %},
    {"index": {"_index": "requests", "_id": "{{ request.id }}"}}, {{ request }}
    {% endfor %}
  ]
""",
    "soap": """\
headers: {SOAPAction: '"urn:tickets#Create"', Content-Type: text/xml; charset=utf-8}
body_format: xml
body_template: |
  <?xml version="1.0" encoding="UTF-8"?>
  <soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/" xmlns:t="urn:tickets">
    <soap:Body>
      <t:Create severity="{{ data.severity[:4] }}" urgent="{{ data.severity == 'High' }}" key="${env:CANARY}">
        <Title>{{ data.title }}</Title>
        <Key>${env:CANARY}</Key>
        {% if data.resource %}<Resource>{{ data.resource.name }}</Resource>{% endif %}
      </t:Create>
    </soap:Body>
  </soap:Envelope>
""",
    "text": """\
body_format: text
body_template: "{{ data.severity }} {{ data.request.id }} {{ data.title }} ${env:CANARY}\\
  {{ '\\n' if data.severity != 'Low' }}"
""",
}


def twilio(request: ReceivedRequest) -> bool:
    pairs = parse_qsl(request.body.decode("ascii"), keep_blank_values=True, strict_parsing=True)
    fields = dict(pairs)
    return (
        request.header("content-type") == "application/x-www-form-urlencoded"
        and len(pairs) == len(fields)
        and fields.keys() == {"To", "From", "Body", "Key"}
        and fields["Key"] == f"key {CANARY}"
        and fields["Body"].startswith("P1: ")
        and fields["Body"].endswith(", now")
    )


def splunk(request: ReceivedRequest) -> bool:
    events = [json.loads(line) for line in request.body.decode().splitlines()]
    return (
        request.header("content-type") == "application/x-ndjson"
        and [event["sourcetype"] for event in events] == ["access:anomaly", "access:title"]
        and events[0]["event"]["title"] == events[1]["event"]
        and events[0]["fields"] == {"level": "high"}
        and events[0]["key"] == CANARY
    )


def elasticsearch(request: ReceivedRequest) -> bool:
    body = request.body.decode()
    lines = [json.loads(line) for line in body.splitlines()]
    actions, documents = lines[::2], lines[1::2]
    return (
        request.header("content-type") == "application/x-ndjson"
        and body.endswith("\n")
        and [[*action] for action in actions] == [["index"], ["index"]]
        and [[*document] for document in documents] == [["title", "severity"], ["id", "friendly_id", "status"]]
    )


def soap(request: ReceivedRequest) -> bool:
    """A reader that refuses document types, as defusedxml does, and knows namespaces."""
    tags: list[str] = []
    values: list[str] = []
    keys: list[str] = []

    def start(tag: str, attributes: dict[str, str]) -> None:
        tags.append(tag)
        values.extend(attributes.values())

    def refuse(*_: object) -> None:
        raise ValueError("a document type")

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler, parser.StartDoctypeDeclHandler = start, refuse
    parser.CharacterDataHandler = lambda text: keys.append(text) if tags[-1] == "Key" else None
    parser.Parse(request.body, True)
    envelope = "http://schemas.xmlsoap.org/soap/envelope/"
    return (
        request.header("soapaction") == '"urn:tickets#Create"'
        and request.header("content-type") == "text/xml; charset=utf-8"
        and values == ["High", "true", CANARY]
        and "".join(keys).strip() == CANARY
        and tags[:5] == [f"{envelope} Envelope", f"{envelope} Body", "urn:tickets Create", "Title", "Key"]
        and tags[5:] in ([], ["Resource"])
    )


def text(request: ReceivedRequest) -> bool:
    body = request.body.decode()
    return (
        request.header("content-type") == "text/plain; charset=utf-8"
        and len(body.splitlines()) == 1
        and body.endswith(f" {CANARY}\n")
        and body.startswith("High ")
    )


READERS = {"twilio": twilio, "splunk": splunk, "elasticsearch": elasticsearch, "soap": soap, "text": text}


@dataclass
class Site:
    """A project with one webhook, and the target that it is for."""

    name: str
    root: Path
    receiver: Receiver
    run_cli: Callable[..., Any]

    def run(self, *args: str) -> Any:
        address = f"siem.example.com:443:{self.receiver.address}:{self.receiver.port}"
        env = {
            "HOOKCTL_CONNECT_TO": address,
            "HOOKCTL_CACERT": str(self.receiver.ca_file),
            "CANARY": CANARY,
            "CANARY_TOKEN": "canary-token",
        }
        return self.run_cli(*args, cwd=self.root, env=env)

    def write(self, fields: str) -> None:
        head = f"name: {self.name}\nevent: anomaly\nurl: https://siem.example.com/\n"
        (self.root / "webhooks.d" / "webhook.yaml").write_text(head + fields, encoding="utf-8")

    def event(self, **data: Any) -> str:
        mock: Any = load_plugins().event_types["anomaly"].mock
        (self.root / "event.json").write_text(json.dumps({**mock, "id": "e1", "data": {**mock["data"], **data}}))
        return str(self.root / "event.json")


@pytest.fixture(params=WEBHOOKS)
def site(
    request: pytest.FixtureRequest, project: Callable[[dict[str, str]], Path], run_cli: Callable[..., Any]
) -> Iterator[Site]:
    with Receiver() as receiver:
        reader = READERS[request.param]
        receiver.answer("/", lambda received: Answer(200 if reader(received) else 400))
        site = Site(request.param, project({"webhooks.d/webhook.yaml": ""}), receiver, run_cli)
        site.write(WEBHOOKS[request.param])
        yield site


def test_the_target_takes_what_is_sent_and_render_shows_it(site: Site) -> None:
    tested = site.run("test", site.name)
    assert tested.exit_code == 0, tested.stdout
    rendered = site.run("render", site.name, "--body")
    expected = site.receiver.requests[-1].body
    for secret in WRITTEN[site.name]:
        assert secret.encode() in expected
        expected = expected.replace(secret.encode(), b"***")
    assert rendered.stdout_bytes == expected
    assert "canary" not in tested.stdout + site.run("render", site.name).stdout


def test_show_has_what_writes_the_body_together(site: Site) -> None:
    assert site.run("apply", "--auto-approve").exit_code == 0
    shown = site.run("show", site.name).stdout
    body = shown.index("form.Body:" if site.name == "twilio" else "body_format:")
    assert shown.index("method:") < body < shown.index("timeout_seconds:")


def test_each_field_of_a_form_is_on_a_line_of_its_own(site: Site) -> None:
    lines = site.run("render", site.name).stdout.splitlines()
    assert ("&From=%2B15550199" in lines and "&Key=key+***" in lines) == (site.name == "twilio")


def test_a_hostile_event_is_sent_once_applied(site: Site) -> None:
    applied = site.run("apply", "--auto-approve", "--test")
    assert applied.exit_code == 0, applied.stdout
    sent = site.run("send", site.event(title=HOSTILE))
    assert sent.exit_code == 0, sent.stdout
    assert len(site.receiver.requests) == 2
    assert site.run("plan").stdout.startswith("No changes.")
    shown = site.run("show", site.name).stdout + site.run("deliveries", "list").stdout
    assert "canary" not in shown
    assert b"canary" not in b"".join(file.read_bytes() for file in (site.root / ".hookctl").iterdir() if file.is_file())


def test_a_recorded_exchange_is_replayed(site: Site) -> None:
    assert site.run("test", "--record", site.name).exit_code == 0
    cassette = (site.root / "tests" / "cassettes" / f"{site.name}.yaml").read_text()
    assert "canary" not in cassette
    replayed = site.run("test", "--replay", site.name)
    assert replayed.exit_code == 0, replayed.stdout
    site.write(WEBHOOKS[site.name].replace("data.title }}", "data.severity }}"))
    changed = site.run("test", "--replay", site.name)
    assert changed.exit_code == 1, changed.stdout


def test_a_plan_shows_the_request_and_what_is_newly_sent(site: Site) -> None:
    assert site.run("apply", "--auto-approve").exit_code == 0
    site.write(WEBHOOKS[site.name].replace("data.title }}", "data.requester.email }}"))
    shown = site.run("plan").stdout
    assert "newly sent to" in shown or site.name == "splunk"  # it sent the whole of data before, too
    (change,) = json.loads(site.run("plan", "--format", "json").stdout)["changes"]
    differences = change["effects"]["requests"]["shown"][0]["differences"]
    assert [difference["part"] for difference in differences] == ["body"]
    path = {
        "twilio": "$.Body",
        "splunk": "$[1].event",
        "elasticsearch": "$[1].title",
        "soap": '$["/soap:Envelope/soap:Body/t:Create/Title"]',
        "text": "$[0]",
    }[site.name]
    assert differences[0]["path"] == [path]
    assert change["effects"]["payload"]["class"] == "compatible"


def test_another_format_breaks_the_receiver(site: Site) -> None:
    assert site.run("apply", "--auto-approve").exit_code == 0
    site.write('body_template: \'{"title": "{{ data.title }}"}\'\n')
    shown = site.run("plan").stdout
    assert "payload: breaking: $ " in shown
    assert "body_format" in shown


def test_no_output_and_no_saved_plan_shows_a_secret(site: Site) -> None:
    outputs = [
        site.run("plan", "--out", "plan.json"),
        site.run("plan", "--format", "json"),
        site.run("render", site.name),
        site.run("render", site.name, "--format", "json"),
        site.run("test", site.name, "--show-invocation"),
        site.run("test", site.name, "--format", "json"),
    ]
    assert [output.exit_code for output in outputs] == [0] * len(outputs)
    shown = "".join(output.stdout + output.stderr for output in outputs) + (site.root / "plan.json").read_text()
    assert "canary" not in shown
    assert [("***" in output.stdout) for output in outputs[:5]] == [site.name != "elasticsearch"] * 5


def test_each_expression_is_described(site: Site) -> None:
    decisions = json.loads(site.run("render", site.name, "--format", "json").stdout)["decisions"]
    forms = {"twilio": "field", "splunk": "value", "elasticsearch": "text", "soap": "attribute", "text": "line"}
    assert decisions[0]["form"] == forms[site.name]
    assert [decision.get("field") for decision in decisions] == (
        ["Body"] * 3 if site.name == "twilio" else [None] * len(decisions)
    )


def test_doctor_finds_a_missing_secret_of_a_body(site: Site) -> None:
    assert site.run("apply", "--auto-approve").exit_code == 0
    shown = site.run_cli("doctor", cwd=site.root).stdout
    assert (f"${{env:CANARY}} of {site.name}" in shown) == (site.name != "elasticsearch")
