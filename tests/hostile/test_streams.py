"""Standard streams that are closed, full or left: a message and an exit code, and nothing after it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

HOOKCTL = f"{sys.executable} -m hookctl"
EVENT = '{"id":"e1","event_type":"anomaly","event_time":1,"data":{"title":"é€😀"}}\n'
Shell = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with one webhook, applied."""
    root = tmp_path_factory.mktemp("streams") / "project"
    root.mkdir()
    for command in (["init"], ["apply", "--auto-approve"]):
        subprocess.run([sys.executable, "-m", "hookctl", *command], cwd=root, check=True, capture_output=True)
    return root


@pytest.fixture
def shell(template: Path, tmp_path: Path) -> Shell:
    """Runs a line of bash in a copy of the project, ``hookctl`` in it being ours."""
    root = tmp_path / "project"
    shutil.copytree(template, root)

    def run(line: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("HOOKCTL_")}
        line = f'set -o pipefail; hookctl() {{ {HOOKCTL} "$@"; }}; {line}'
        return subprocess.run(
            ["bash", "-c", line],
            cwd=root,
            env=clean | environment,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    return run


def check(done: subprocess.CompletedProcess[str], code: int, says: str) -> None:
    assert done.returncode == code, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


@pytest.mark.parametrize(
    "command",
    [
        "plan",
        "list",
        "--help",
        "plan --help",
        "--version",
        "validate --format json",
        "render 'My first webhook' --body",
    ],
)
def test_standard_output_closed_or_full(shell: Shell, command: str) -> None:
    check(shell(f"hookctl {command} >&-"), 1, "Error: standard output is closed\n")
    check(
        shell(f"hookctl {command} >/dev/full"), 1, "Error: standard output cannot be written: No space left on device\n"
    )


@pytest.mark.parametrize("command", ["list", "plan --help", "render 'My first webhook' --body"])
def test_a_reader_that_has_left_ends_it_quietly(shell: Shell, command: str) -> None:
    done = shell(f"hookctl {command} | true; exit ${{PIPESTATUS[0]}}", PYTHONSTARTUP="")
    # Whoever writes before the reader has gone has written: both ends are right, and neither says anything.
    assert done.returncode in {0, 141}
    assert done.stderr == ""
    late = shell(f"{{ sleep 0.5; hookctl {command}; }} | true; exit ${{PIPESTATUS[0]}}")
    assert (late.returncode, late.stderr) == (141, "")


def test_a_full_output_keeps_a_plan_from_being_applied(shell: Shell) -> None:
    shell(
        "sed -i s/POST/PUT/ webhooks.d/first.yaml; "
        "grep -q PUT webhooks.d/first.yaml || echo 'method: PUT' >> webhooks.d/first.yaml"
    )
    before = shell("hookctl plan --format json").stdout
    assert json.loads(before)["serial"] == 1
    check(shell("hookctl apply --auto-approve >/dev/full"), 1, "standard output cannot be written")
    assert shell("hookctl plan --format json").stdout == before


@pytest.mark.parametrize("stderr", ["2>&-", "2>/dev/full"])
def test_standard_error_that_cannot_be_written_changes_no_result(shell: Shell, stderr: str) -> None:
    assert shell(f"hookctl nonsense {stderr}").returncode == 64
    assert shell(f"hookctl --config missing plan {stderr}").returncode == 1
    assert shell(f"hookctl list {stderr}").stdout == shell("hookctl list").stdout != ""


def test_a_closed_stream_is_not_the_next_file_that_is_opened(shell: Shell) -> None:
    """Without a stream in its place, the store would be descriptor 2 and take the messages in."""
    line = "hookctl send - --wait 0s 2>&-; hookctl send - --wait 0s <&- 2>&-; hookctl doctor"
    done = shell(line, stdin="not json\n")
    assert "damaged" not in done.stdout
    assert "store" in done.stdout


@pytest.mark.parametrize(
    "command", ["send -", "test --event -", "render 'My first webhook' --event -", "plan --events -", "plan --sample -"]
)
def test_standard_input_closed(shell: Shell, command: str) -> None:
    check(shell(f"hookctl {command} <&-"), 1, "Error: standard input cannot be read: Bad file descriptor\n")


def test_apply_with_standard_input_closed_asks_nobody(shell: Shell) -> None:
    check(
        shell("rm -r .hookctl; hookctl apply <&-"),
        1,
        "Error: cannot ask for approval: standard input is not a terminal\n",
    )


def test_standard_input_that_is_a_directory(shell: Shell) -> None:
    """Python itself refuses it, before hookctl begins."""
    check(shell("hookctl send - <."), 1, "<stdin> is a directory")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_json_is_whole_in_every_encoding(shell: Shell, encoding: str) -> None:
    shell("sed -i 's/^name:.*/name: First/' webhooks.d/first.yaml; echo 'description: é€😀' >> webhooks.d/first.yaml")
    into = "import sys; data = sys.stdin.buffer.read(); sys.stdout.buffer.write(data.decode(sys.argv[1]).encode())"
    line = f"hookctl show First --format json | {sys.executable} -c '{into}' {encoding}"
    done = shell(line, PYTHONIOENCODING=encoding)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)


@pytest.mark.parametrize(
    ("line", "says"),
    [("hookctl --dir $'\\xff' plan", "Argument 2 is not UTF-8"), ("hookctl plan --only $'a\\xff'", "Argument 3")],
)
def test_arguments_that_are_not_utf8(shell: Shell, line: str, says: str) -> None:
    check(shell(line), 64, says)


def test_a_variable_that_is_not_utf8(shell: Shell) -> None:
    check(shell("HOOKCTL_STORE=$'\\xff' hookctl plan"), 1, "the environment variable HOOKCTL_STORE is not UTF-8 text")


def test_a_directory_that_is_gone(shell: Shell) -> None:
    check(shell("mkdir x; cd x; rmdir ../x; hookctl plan"), 1, "the current directory cannot be used")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_directory_that_may_not_be_entered(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "project/closed").mkdir(mode=0o700)
    for option in ("--dir closed/x", "--store sqlite:///closed/x.db", "--config closed/x"):
        done = shell(f"setpriv --reuid 65534 --clear-groups {HOOKCTL} {option} plan")
        if (
            "setpriv" in done.stderr
            or "No module named" in done.stderr
            or "can't open" in done.stderr
            or "ermission denied: '" in done.stderr
        ):
            pytest.skip(f"another user cannot run hookctl here: {done.stderr.splitlines()[-1]}")
        check(done, 1, "Permission denied")


@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
def test_a_full_output_in_any_encoding(shell: Shell, encoding: str) -> None:
    done = shell("hookctl list > /dev/full", PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stderr.startswith("Error: standard output cannot be written: ")) == (1, True)
    assert "ignored" not in done.stderr
