"""Writes a file as a note on the merge request of this job, in place of the last one of hookctl.

Uses the predefined variables of GitLab and a token with the scope `api` in HOOKCTL_GITLAB_TOKEN.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import requests

TIMEOUT = 30.0


def main(file: str) -> None:
    """Update the newest note that this token's user wrote with hookctl, or create the first."""
    project, number = os.environ["CI_PROJECT_ID"], os.environ["CI_MERGE_REQUEST_IID"]
    notes = f"{os.environ['CI_API_V4_URL']}/projects/{project}/merge_requests/{number}/notes"
    with requests.Session() as session:
        session.headers["PRIVATE-TOKEN"] = os.environ["HOOKCTL_GITLAB_TOKEN"]
        user = _answer(session.get(f"{os.environ['CI_API_V4_URL']}/user", timeout=TIMEOUT)).json()["id"]
        body = {"body": Path(file).read_text(encoding="utf-8")}
        found, page = None, "1"
        while page and found is None:  # the newest come first
            answer = _answer(session.get(notes, params={"per_page": "100", "page": page}, timeout=TIMEOUT))
            own = (
                note["id"]
                for note in answer.json()
                if note["author"]["id"] == user and note["body"].startswith("## hookctl ")
            )
            found, page = next(own, None), answer.headers.get("X-Next-Page", "")
        if found is None:
            _answer(session.post(notes, json=body, timeout=TIMEOUT))
        else:
            _answer(session.put(f"{notes}/{found}", json=body, timeout=TIMEOUT))


def _answer(response: requests.Response) -> requests.Response:
    response.raise_for_status()
    return response


if __name__ == "__main__":
    main(sys.argv[1])
