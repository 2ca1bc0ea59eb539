"""The main job of hookctl as a user would type it: a receiver, a plan, an apply, tests, and a thousand events.

Everything happens in a temporary directory and on loopback. The exit code is 0 only if every command succeeds and the
receiver gets exactly the requests that the events call for.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
EVENTS = 1000
HOSTS = ("siem.example.com", "incidents.example.com", "tickets.example.com", "audit.example.com", "login.example.com")
SECRETS = {
    "SIEM_TOKEN": "demo-siem-token",
    "INCIDENTS_CLIENT_ID": "demo-client",
    "INCIDENTS_CLIENT_SECRET": "demo-client-secret",
    "TICKETS_PASSWORD": "demo-password",
    "AUDIT_API_KEY": "demo-api-key",
    "AUDIT_REVIEW_TOKEN": "demo-review-token",
}
LISTEN = [
    *("hookctl", "listen", "--port", "0", "--quiet", "--ca-out", "ca.pem"),
    *(part for host in HOSTS for part in ("--host", host)),
    *(
        "--token-endpoint",
        "--client-id",
        SECRETS["INCIDENTS_CLIENT_ID"],
        "--client-secret",
        SECRETS["INCIDENTS_CLIENT_SECRET"],
    ),
    *("--require-token", "/v2/incidents"),
]


class DemoFailedError(Exception):
    """A command failed, or the receiver got other requests than it should."""


def say(text: str) -> None:
    print(text, flush=True)


def heading(text: str) -> None:
    say(f"\n== {text}\n")


class Shell:
    """Runs commands in one directory and prints each one first."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("HOOKCTL_")}
        self.environment["PATH"] = f"{Path(sys.executable).parent}:{self.environment.get('PATH', os.defpath)}"

    def export(self, name: str, value: str) -> None:
        say(f"$ export {name}='{value}'")
        self.environment[name] = value

    def run(self, command: str) -> None:
        """Run a command. Raises DemoFailedError when any part of it does not exit with 0."""
        say(f"$ {command}")
        code = subprocess.run(
            ["bash", "-o", "pipefail", "-c", command],
            cwd=self.directory,
            env=self.environment,
            check=False,
            stdin=subprocess.DEVNULL,
        ).returncode
        if code:
            raise DemoFailedError(f"`{command}` exited with {code}")
        say("")

    @contextmanager
    def listening(self) -> Iterator[list[str]]:
        """Runs the receiver and gives the lines that it prints.

        Inside the block they are the options that connect hookctl with it; after it, what it received.
        """
        say(f"$ {' '.join(LISTEN)} &")
        with subprocess.Popen(
            LISTEN, cwd=self.directory, env=self.environment, stdout=subprocess.PIPE, text=True, start_new_session=True
        ) as process:
            assert process.stdout is not None
            lines = []
            try:
                while line := process.stdout.readline().rstrip("\n"):
                    say(line)
                    lines.append(line)
                yield lines
            finally:
                process.send_signal(signal.SIGINT)
                lines[:] = process.stdout.read().splitlines()


def connect_to(options: list[str]) -> str:
    return " ".join(re.findall(r"--connect-to (\S+)", "\n".join(options)))


def expected(events: Path) -> Counter[str]:
    """How many requests each path must receive for these events and the tests.

    This repeats the webhooks' conditions by hand, because it checks what hookctl does.
    """
    data = [json.loads(line)["data"] for line in events.read_text(encoding="utf-8").splitlines()]
    return Counter(
        {
            "POST /ingest": len(data) + 2,  # tested alone and with all
            "POST /v2/incidents": sum(anomaly["severity"] == "High" for anomaly in data) + 1,
            "PUT /api/tickets": sum(anomaly["severity"] != "Low" for anomaly in data) + 1,
            "POST /reviews": sum(anomaly["type"] == "request_from_inactive_user" for anomaly in data) + 1,
            "POST /records": 1,  # inactive, so it receives only the test
        }
    )


def received(summary: list[str]) -> Counter[str]:
    """How many requests each path received, from the summary of ``hookctl listen``; token requests are left out."""
    rows = [re.fullmatch(r" +([0-9,]+) +(\S+ \S+) -> (\S+)", line) for line in summary]
    asked = Counter(
        {row[2] if row[3] == "200" else f"{row[2]} -> {row[3]}": int(row[1].replace(",", "")) for row in rows if row}
    )
    if not asked.pop("POST /oauth/token", 0):
        raise DemoFailedError("no token was fetched")
    return asked


def demonstrate(directory: Path) -> None:
    shutil.copytree(ROOT / "webhooks.d", directory / "webhooks.d")
    shell = Shell(directory)
    heading("A receiver on this machine, with a certificate authority and a token endpoint of its own")
    with shell.listening() as listener:
        shell.export("HOOKCTL_CONNECT_TO", connect_to(listener))
        shell.export("HOOKCTL_CACERT", "ca.pem")
        heading("Show what an apply would change")
        shell.run("hookctl plan")
        heading("Apply it")
        shell.run("hookctl apply --auto-approve | tail -n 3")
        heading("Set the secrets, which hookctl reads only when it sends")
        for name, value in SECRETS.items():
            shell.export(name, value)
        heading("Send a mock event to one webhook, then to all, inactive ones included")
        shell.run("hookctl test SiemAnomalies --show-invocation")
        shell.run("hookctl test")
        heading(f"Send {EVENTS:,} events, each to the webhooks whose condition it meets")
        shell.run(f"python -m hookctl.testing.events {EVENTS} > events.jsonl")
        shell.run("hookctl send events.jsonl")
        shell.run("hookctl list")
        shell.run("hookctl deliveries list --limit 5")
        heading("Check that what runs is what the files say")
        shell.run("hookctl plan --detailed-exitcode")
    heading("What the receiver got")
    say("\n".join(listener))
    wanted, got = expected(directory / "events.jsonl"), received(listener)
    if got != wanted:
        raise DemoFailedError(f"the receiver got {dict(got)} instead of {dict(wanted)}")
    say(f"\nThe receiver got exactly the {wanted.total():,} requests that {EVENTS:,} events and 6 tests call for.")


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="hookctl-demo-") as directory:
        try:
            demonstrate(Path(directory))
        except DemoFailedError as error:
            print(f"\nThe demo failed: {error}.", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            print("\nInterrupted.", file=sys.stderr)
            return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
