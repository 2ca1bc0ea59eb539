import xml.etree.ElementTree as ET
from collections.abc import Callable

from hookctl.kit.contracts import FormatContract
from hookctl.kit.project import Project

import hookctl_checkstyle as mine

WEBHOOK = """
name: Siem
event: anomaly
url: http://siem.example.com/ingest
method: 'G<&"T'
"""
SETTINGS = """
[policies.owner_label]
"""


def read(text: str) -> ET.Element:
    """A report, which must have the elements and attributes that readers of Checkstyle's format know."""
    root = ET.fromstring(text)  # noqa: S314  # our own text
    assert root.tag == "checkstyle"
    assert {file.tag for file in root} <= {"file"}
    for file in root:
        assert file.attrib.keys() == {"name"}
        for error in file:
            assert error.tag == "error"
            assert (
                {"severity", "message", "source"}
                <= error.attrib.keys()
                <= {
                    "line",
                    "column",
                    "severity",
                    "message",
                    "source",
                }
            )
    return root


class TestContract(FormatContract):
    plugin = mine
    name = "checkstyle"

    def read(self, text: str) -> ET.Element:
        return read(text)


def test_findings_have_file_and_line(hookctl_project: Callable[..., Project]) -> None:
    project = hookctl_project({"webhooks.d/siem.yaml": WEBHOOK}, mine)
    result = project.run("validate", "--format", "checkstyle")
    assert result.exit_code == 1
    (file,) = read(result.stdout)
    assert file.attrib == {"name": "webhooks.d/siem.yaml"}
    found = [(error.get("line"), error.get("column"), error.get("severity"), error.get("source")) for error in file]
    assert 'not "G<&' in (file[1].get("message") or "")
    assert found == [("4", "6", "error", "hookctl.url-scheme"), ("5", "9", "error", "hookctl.wrong-value")]


def test_a_plan_has_the_findings_of_policies(hookctl_project: Callable[..., Project]) -> None:
    webhook = WEBHOOK.replace("http:", "https:").replace("'G<&\"T'", "POST")
    project = hookctl_project({"webhooks.d/siem.yaml": webhook, "hookctl.toml": SETTINGS}, mine)
    result = project.run("plan", "--format", "checkstyle=report.xml")
    assert result.exit_code == 1, result.stdout + result.stderr
    (file,) = read((project.root / "report.xml").read_text(encoding="utf-8"))
    assert [error.get("source") for error in file] == ["hookctl.owner_label"]
