"""docs/ci/github-comment.sh and docs/ci/gitlab-comment.py: the first comment is created, and later ones replace it."""

from __future__ import annotations

import http.server
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

TOKEN = "canary"
CI = Path(__file__).parents[2] / "docs/ci"
GH = """\
#!/bin/sh
# Stands for GitHub's command: prints the ids of our comments, and records what is sent.
printf '%s\\n' "$*" >> "$CALLS"
case "$*" in *--paginate*) printf '%s' "$IDS" ;; esac
"""


@pytest.mark.parametrize(
    ("ids", "sent"),
    [
        ("", "api --method POST repos/acme/hooks/issues/7/comments"),
        ("5\n9\n", "api --method PATCH repos/acme/hooks/issues/comments/9"),
    ],
    ids=["first", "later"],
)
def test_github(tmp_path: Path, ids: str, sent: str) -> None:
    (tmp_path / "gh").write_text(GH, encoding="utf-8")
    (tmp_path / "gh").chmod(0o755)
    environment = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "CALLS": str(tmp_path / "calls"),
        "IDS": ids,
        "GITHUB_REPOSITORY": "acme/hooks",
        "NUMBER": "7",
    }
    command = ["bash", str(CI / "github-comment.sh"), "comment.md"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=30)
    assert (done.returncode, done.stderr) == (0, "")
    asked, written = (tmp_path / "calls").read_text(encoding="utf-8").splitlines()
    assert 'startswith("## hookctl ")' in asked
    assert written == f"{sent} --field body=@comment.md --silent"


class GitLab(http.server.BaseHTTPRequestHandler):
    """The part of GitLab's API that the script uses, with two notes a page, newest first."""

    notes: list[dict[str, Any]]
    requests: list[tuple[str, str, Any]]

    def log_message(self, *_arguments: object) -> None:
        """Print nothing."""

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if self.headers["PRIVATE-TOKEN"] != "canary":
            self._answer(401, {})
        elif parts.path == "/api/v4/user":
            self._answer(200, {"id": 3})
        else:
            page = int(parse_qs(parts.query)["page"][0])
            following = str(page + 1) if len(self.notes) > 2 * page else ""
            self._answer(200, self.notes[2 * page - 2 : 2 * page], {"X-Next-Page": following})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.requests.append((self.command, self.path, body))
        self._answer(201 if self.command == "POST" else 200, {})

    do_PUT = do_POST  # noqa: N815 - the name that http.server looks for

    def _answer(self, status: int, value: Any, headers: dict[str, str] | None = None) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        for name, text in {"Content-Length": str(len(data)), **(headers or {})}.items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(data)


@pytest.fixture
def gitlab() -> Iterator[tuple[type[GitLab], str]]:
    handler = type("Handler", (GitLab,), {"notes": [], "requests": []})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield handler, f"http://127.0.0.1:{server.server_port}/api/v4"
        server.shutdown()
        thread.join()


def comment(tmp_path: Path, url: str, token: str = TOKEN) -> subprocess.CompletedProcess[str]:
    (tmp_path / "comment.md").write_text("## hookctl plan\n\nÄ\n", encoding="utf-8")
    environment = {
        "CI_API_V4_URL": url,
        "CI_PROJECT_ID": "1",
        "CI_MERGE_REQUEST_IID": "7",
        "HOOKCTL_GITLAB_TOKEN": token,
    }
    command = [sys.executable, str(CI / "gitlab-comment.py"), "comment.md"]
    return subprocess.run(
        command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )


def note(number: int, author: int, body: str) -> dict[str, Any]:
    return {"id": number, "author": {"id": author}, "body": body}


BODY = {"body": "## hookctl plan\n\nÄ\n"}
NOTES = "/api/v4/projects/1/merge_requests/7/notes"


def test_gitlab_gets_a_first_note(gitlab: tuple[type[GitLab], str], tmp_path: Path) -> None:
    handler, url = gitlab
    handler.notes = [note(8, 3, "Approved."), note(7, 4, "## hookctl plan of someone else"), note(6, 4, "Why?")]
    assert comment(tmp_path, url).returncode == 0
    assert handler.requests == [("POST", NOTES, BODY)]


def test_gitlab_keeps_one_note(gitlab: tuple[type[GitLab], str], tmp_path: Path) -> None:
    handler, url = gitlab
    handler.notes = [
        note(8, 4, "Why?"),
        note(7, 4, "Why?"),
        note(6, 3, "## hookctl plan"),
        note(5, 3, "## hookctl plan"),
    ]
    assert comment(tmp_path, url).returncode == 0
    assert handler.requests == [("PUT", f"{NOTES}/6", BODY)]


def test_a_token_that_gitlab_refuses_fails_and_is_not_shown(gitlab: tuple[type[GitLab], str], tmp_path: Path) -> None:
    done = comment(tmp_path, gitlab[1], token="canary-2")
    assert done.returncode == 1
    assert "401" in done.stderr
    assert "canary" not in done.stdout + done.stderr
