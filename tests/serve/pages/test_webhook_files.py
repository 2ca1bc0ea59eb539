"""Where webhooks are written, and patches of their files."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from hookctl.model import Status
from hookctl.serve.pages import webhook_files
from hookctl.serve.pages.webhook_files import WebhookFiles

URL = "event: anomaly\nurl: https://a.example.com/\n"


def files(directory: Path, **contents: str) -> WebhookFiles:
    directory.mkdir(exist_ok=True, parents=True)
    for name, text in contents.items():
        (directory / f"{name}.yaml").write_bytes(text.encode())
    return WebhookFiles(directory)


def test_the_line_of_the_name_in_any_document(tmp_path: Path) -> None:
    found = files(tmp_path, a=f"# c\nname: A\n{URL}---\n{URL}name: 'B b'  # two\n", c=f"{URL}name: C\n")
    assert str(found.find("A")) == f"{tmp_path}/a.yaml:2"
    assert str(found.find("B b")) == f"{tmp_path}/a.yaml:8"
    assert str(found.find("C")) == f"{tmp_path}/c.yaml:3"
    assert found.find("D") is None


def test_a_webhook_that_moves_is_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook_files, "SEARCH_EVERY", 0.0)
    found = files(tmp_path, a=f"name: A\n{URL}")
    assert found.find("A")
    (tmp_path / "a.yaml").rename(tmp_path / "b.yaml")
    assert str(found.find("A")) == f"{tmp_path}/b.yaml:1"
    (tmp_path / "b.yaml").write_text("not: [yaml", encoding="utf-8")
    assert found.find("A") is None


def test_the_directory_is_not_searched_for_every_request(tmp_path: Path) -> None:
    found = files(tmp_path, a=f"name: A\n{URL}")
    assert found.find("B") is None
    (tmp_path / "b.yaml").write_text(f"name: B\n{URL}", encoding="utf-8")
    assert found.find("B") is None


def test_a_link_that_leads_elsewhere_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "outside.yaml").write_text(f"name: A\n{URL}", encoding="utf-8")
    found = files(tmp_path / "webhooks.d")
    (tmp_path / "webhooks.d/a.yaml").symlink_to(tmp_path / "outside.yaml")
    assert found.find("A") is None


@pytest.mark.parametrize(
    ("text", "wanted", "line"),
    [
        (f"name: A\n{URL}", Status.INACTIVE, "status: inactive"),
        (f"{URL}name: A", Status.INACTIVE, "status: inactive"),
        (f"name: A\r\n{URL}".replace("\n", "\r\n").replace("\r\r", "\r"), Status.INACTIVE, "status: inactive"),
        (f'name: A\n{URL}status: "inactive"  # for now\n', Status.ACTIVE, "status: active  # for now"),
        (f"name: A\nstatus: active\n{URL}---\nname: B\nstatus: active\n{URL}", Status.INACTIVE, "status: inactive"),
        (f'name: A\ndescription: "a\x0bb"\n{URL}', Status.INACTIVE, ""),
        (f"name: A\nstatus: active\n{URL}", Status.ACTIVE, ""),
        ("{name: A, event: anomaly, url: 'https://a.example.com/'}\n", Status.INACTIVE, ""),
    ],
)
def test_a_patch_applies_from_the_root_of_the_repository(tmp_path: Path, text: str, wanted: Status, line: str) -> None:
    root = tmp_path / "repository"
    found = files(root / "sub dir/webhooks.d", a=text)
    (root / ".git").mkdir()
    patch = found.status_patch("A", wanted)
    assert bool(patch) == bool(line)
    if line:
        (root / ".git").rmdir()
        done = subprocess.run(["git", "apply"], input=patch.encode(), cwd=root, check=False, capture_output=True)
        assert done.returncode == 0, done.stderr
        lines = (root / "sub dir/webhooks.d/a.yaml").read_text(encoding="utf-8").splitlines()
        assert line in lines
        assert {one for one in text.splitlines() if not one.startswith("status")} <= set(lines)
