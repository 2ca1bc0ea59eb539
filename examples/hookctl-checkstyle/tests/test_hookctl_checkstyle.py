import csv
import io
from collections.abc import Callable

from hookctl.kit.contracts import FormatContract
from hookctl.kit.project import Project

import hookctl_checkstyle as mine

WEBHOOK = """
name: Siem
event: anomaly
url: https://siem.example.com/ingest
"""


class TestContract(FormatContract):
    plugin = mine
    name = "checkstyle"

    def read(self, text: str) -> list[list[str]]:
        rows = [*csv.reader(io.StringIO(text, newline=""))]
        assert rows[0] == [*mine.COLUMNS]
        assert {len(row) for row in rows} == {len(mine.COLUMNS)}
        return rows


def test_a_plan_is_a_table(hookctl_project: Callable[..., Project]) -> None:
    project = hookctl_project({"webhooks.d/siem.yaml": WEBHOOK}, mine)
    result = project.run("plan", "--format", "checkstyle")
    assert result.exit_code == 0, result.stdout + result.stderr
    assert result.stdout == "what,path,line,webhook,rule,message\ncreate,,,Siem,,\n"
