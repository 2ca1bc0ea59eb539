"""Two plugins, or parts of two plugins, with the same name: nothing runs with a plugin that might be the wrong one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

RunCli = Callable[..., Any]
CODE = """
from hookctl.plugin import SecretSource, hookimpl

@hookimpl
def hookctl_secret_sources():
    return [SecretSource(scheme="SCHEME", summary="A vault.", resolve=str.upper)]
"""
REFUSING = (["validate"], ["plan"], ["apply", "--auto-approve"], ["run"], ["send", "/dev/null"], ["test"], ["list"])
WORKING = (["--help"], ["plan", "--help"], ["plugins"], ["explain"], ["schema", "webhook"], ["schema", "event"])


@pytest.fixture(params=["parts", "a built-in part", "plugins"])
def root(
    request: pytest.FixtureRequest,
    project: Callable[[Mapping[str, str]], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> tuple[Path, str]:
    """A project with a conflict, and its message."""
    files = {"one": CODE.replace("SCHEME", "env" if request.param == "a built-in part" else "acme")}
    message = "plugin one: it adds the secret source 'env', but hookctl_plugins.secret already adds one with that name"
    if request.param == "parts":
        files["two"] = files["one"]
        message = "plugin two: it adds the secret source 'acme', but one already adds one with that name"
    elif request.param == "plugins":
        information = tmp_path / "site/hookctl_acme-1.2.3.dist-info"
        information.mkdir(parents=True)
        (information / "METADATA").write_text("Metadata-Version: 2.1\nName: hookctl-acme\nVersion: 1.2.3\n")
        (information / "entry_points.txt").write_text("[hookctl]\none = acme_same_name\n")
        (tmp_path / "site/acme_same_name.py").write_text(CODE.replace("SCHEME", "other"))
        monkeypatch.syspath_prepend(str(tmp_path / "site"))
        message = "two plugins have the name 'one': hookctl-acme 1.2.3 and plugins/one.py"
    lines = "".join(f'{name} = "sha256:{sha256(code.encode()).hexdigest()}"\n' for name, code in files.items())
    webhook = "name: Siem\nevent: anomaly\nurl: https://siem.example.com/x\n"
    written = {f"plugins/{name}.py": code for name, code in files.items()}
    return project({"webhooks.d/siem.yaml": webhook, "hookctl.toml": f"[plugins.files]\n{lines}", **written}), message


def test_what_could_use_the_wrong_one_is_refused(root: tuple[Path, str], run_cli: RunCli) -> None:
    folder, message = root
    for command in REFUSING:
        result = run_cli(*command, cwd=folder)
        assert result.exit_code == 1, command
        assert result.stderr.splitlines()[-2] == f"Error: {message}", command
    assert not (folder / ".hookctl").exists()


def test_what_describes_still_works(root: tuple[Path, str], run_cli: RunCli) -> None:
    folder, message = root
    for command in WORKING:
        assert run_cli(*command, cwd=folder).exit_code == 0, command
    assert f"  {message}\n" in run_cli("plugins", cwd=folder).stdout
    result = run_cli("doctor", cwd=folder)
    assert (result.exit_code, result.stdout.count(message)) == (1, 1)
    assert "✗ plugins " in result.stdout
    result = run_cli("plugins", "--check", cwd=folder)
    assert (result.exit_code, message in result.stdout) == (1, True)
