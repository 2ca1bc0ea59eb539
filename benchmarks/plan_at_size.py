"""``hookctl plan`` of 10,000 files, beside PyYAML's C loader alone and check-jsonschema on the same files.

All are measured in the same run. Figures: benchmarks/README.md.
Do not change hookctl's code while it runs: the cache would rightly be for another hookctl.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from hookctl.schema_files import schema_path

HOOKCTL = str(Path(sys.executable).parent / "hookctl")
WEBHOOK = """\
# yaml-language-server: $schema=../schemas/webhook.schema.json
name: Webhook {number}
description: Anomalies of tenant {number}, to the queue of its own team
labels:
  owner: {owner}
  tier: gold
event: anomaly
status: active
method: POST
url: https://tenant-{number}.example.com/ingest/v2
headers:
  X-Source: hookctl
  X-Tenant: tenant-{number}
auth:
  type: bearer
  token: ${{env:TENANT_{number}_TOKEN}}
when: data.severity == 'High' && data.requester.email != 'robot-{number}@example.com'
body_template: |
  {{
    "tenant": "tenant-{number}",
    "event_type": "{{{{ event_type }}}}",
    "time": {{{{ event_time }}}},
    "severity": "{{{{ data.severity }}}}",
    "title": "{{{{ data.title }}}}",
    "text": "{{{{ data.description }}}}",
    "requester": "{{{{ data.requester.email }}}}",
    "request": {{{{ data.request }}}}
  }}
timeout_seconds: 10
response_validators:
  - json_path: $.data.tenants.t{number}.status
    expected_values: [accepted, queued]
custom_validation_error_message: Tenant {number} did not accept the anomaly
retry:
  schedule: [5s, 5m, 30m, 2h, 5h]
rate_limit: 50/s
"""
"""About 1 kB. Condition, template and JSON path are in each file other ones."""
LOAD = """
import sys, yaml
from pathlib import Path
for path in sorted(Path(sys.argv[1]).iterdir()):
    with path.open("rb") as file:
        for _ in yaml.load_all(file, Loader=yaml.CSafeLoader):
            pass
"""


@dataclass(frozen=True)
class Measured:
    """One process, from its start to its end."""

    seconds: float
    megabytes: float
    """At its peak."""


class Project:
    """A directory of webhooks, all but one of them applied."""

    def __init__(self, root: Path, files: int) -> None:
        self.root = root
        self.webhooks = root / "webhooks.d"
        self.cache = root.with_name(f"{root.name}-cache")
        self._edits = 0
        self.webhooks.mkdir(parents=True)
        for number in range(files):
            self.write(number, f"team-{number}")

    def write(self, number: int, owner: str) -> None:
        (self.webhooks / f"{number:05}.yaml").write_text(WEBHOOK.format(number=number, owner=owner), encoding="utf-8")

    def edit_one(self) -> None:
        """So that it is changed since the last run, and since the apply."""
        self._edits += 1
        self.write(0, f"other-team-{self._edits}")

    def commit(self) -> None:
        """So that there is a revision to compare with, in a repository of the project's own."""
        author = ("-c", "user.name=x", "-c", "user.email=x@example.com")
        for command in (["init", "--quiet"], ["add", "webhooks.d"], [*author, "commit", "--quiet", "--message=x"]):
            self.run("git", *command)

    def remove_cache(self) -> None:
        shutil.rmtree(self.cache, ignore_errors=True)

    def run(self, *command: str) -> Measured:
        """Raises SystemExit with what it said on standard error when it fails."""
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("HOOKCTL_", "PYTHONDONTWRITEBYTECODE"))
        }
        environment["XDG_CACHE_HOME"] = str(self.cache)
        with tempfile.TemporaryFile() as said:
            started = time.perf_counter()
            process = subprocess.Popen(command, cwd=self.root, env=environment, stdout=subprocess.DEVNULL, stderr=said)
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - started
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode:
                said.seek(0)
                raise SystemExit(f"{command[0]}: exit code {process.returncode}: {said.read().decode()[-2000:]}")
        return Measured(seconds, usage.ru_maxrss / 1024)


def calls(applied: Project, new: Project) -> Mapping[str, Callable[[], Measured]]:
    def load() -> Measured:
        return applied.run(sys.executable, "-c", LOAD, str(applied.webhooks))

    def cold() -> Measured:
        applied.edit_one()
        applied.remove_cache()
        return applied.run(HOOKCTL, "plan")

    def warm() -> Measured:
        applied.edit_one()
        return applied.run(HOOKCTL, "plan")

    def against() -> Measured:
        applied.edit_one()
        return applied.run(HOOKCTL, "plan", "--against", "HEAD")

    def validate() -> Measured:
        return applied.run(HOOKCTL, "validate")

    def first() -> Measured:
        new.remove_cache()
        return new.run(HOOKCTL, "plan")

    def again() -> Measured:
        new.edit_one()
        return new.run(HOOKCTL, "plan")

    return {
        "CSafeLoader alone": load,
        "hookctl plan, cold": cold,
        "hookctl plan, warm: one file changed": warm,
        "hookctl plan --against HEAD, warm": against,
        "hookctl validate, warm": validate,
        "hookctl plan, cold, nothing applied yet": first,
        "hookctl plan, warm, nothing applied yet": again,
    }


def check_jsonschema(project: Project, root: Path) -> Measured | None:
    """None where it cannot be installed."""
    venv.create(root / "check-jsonschema", with_pip=True)
    program = root / "check-jsonschema" / "bin" / "check-jsonschema"
    installed = subprocess.run(
        [program.with_name("python"), "-m", "pip", "install", "-q", "check-jsonschema"],
        capture_output=True,
        text=True,
        check=False,
    )
    if installed.returncode:
        print(
            "check-jsonschema is left out, it cannot be installed: "
            f"{(installed.stderr.strip().splitlines() or ['?'])[-1]}",
            file=sys.stderr,
        )
        return None
    return project.run(
        str(program),
        "--schemafile",
        str(schema_path("webhook.schema.json").resolve()),
        *map(str, sorted(project.webhooks.iterdir())),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=10_000, help="webhook files, one webhook each")
    parser.add_argument(
        "--rounds", type=int, default=5, help="how often each command runs, by turns; the medians count"
    )
    parser.add_argument("--without-check-jsonschema", action="store_true", help="it takes longer than all the rest")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        applied, new = Project(root / "applied", arguments.files), Project(root / "new", arguments.files)
        applied.commit()
        applied.run(HOOKCTL, "apply", "--auto-approve")
        measured = [{name: call() for name, call in calls(applied, new).items()} for _ in range(arguments.rounds)]
        rows = {
            name: Measured(
                statistics.median(row[name].seconds for row in measured), max(row[name].megabytes for row in measured)
            )
            for name in measured[0]
        }
        if not arguments.without_check_jsonschema and (other := check_jsonschema(applied, root)):
            rows["check-jsonschema"] = other
    alone = rows["CSafeLoader alone"].seconds
    print(f"{f'{arguments.files:,} files':<42} {'seconds':>8}  {'x loader':>8}  {'MB at peak':>10}")
    for name, row in rows.items():
        print(f"{name:<42} {row.seconds:>8.2f}  {row.seconds / alone:>8.2f}  {row.megabytes:>10.0f}")


if __name__ == "__main__":
    main()
