"""What else a repository could do: forge results, replace code, redirect writes, crash hookctl with a recording."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookctl import files
from hookctl.config import directory as checking
from hookctl.config.cache import Cache, Result, fingerprint
from hookctl.config.load import revision
from hookctl.delivery.rehearsal import cassette
from hookctl.errors import CassetteError, FileError, FileOutsideError, RevisionError
from hookctl.plugin.host import load_plugins
from hookctl.report.text.printable import inert

Run = Callable[..., Any]
CANARY = "canary7f3a"
GOOD = "name: Siem\nevent: anomaly\nurl: https://siem.example.com/ingest\n"
WRONG = GOOD.replace("https", "http")
ENGINE = Path(cassette.__file__).parents[2]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with one webhook, in which hookctl runs."""
    (tmp_path / "checkout/webhooks.d").mkdir(parents=True)
    (tmp_path / "checkout/webhooks.d/a.yaml").write_text(GOOD)
    monkeypatch.chdir(tmp_path / "checkout")
    return tmp_path / "checkout"


# -- results of checks -----------------------------------------------------------------------------------------------


def forge(folder: Path, directory: Path) -> None:
    """Results that say that the directory's one file is fine, as hookctl itself would write them."""
    cache = Cache(folder, directory, fingerprint(load_plugins()))
    cache.add((directory / "a.yaml").read_bytes(), Result(["Siem"], ["0" * 64]))
    cache.save()


@pytest.mark.parametrize("place", [".hookctl/cache", ".cache/hookctl", "home/.cache/hookctl"])
@pytest.mark.parametrize(
    "variables",
    [{"XDG_CACHE_HOME": ".cache"}, {"XDG_CACHE_HOME": "{root}/.cache"}, {"XDG_CACHE_HOME": "", "HOME": "{root}/home"}],
)
def test_no_result_is_taken_from_a_repository(
    run_cli: Run, root: Path, monkeypatch: pytest.MonkeyPatch, place: str, variables: dict[str, str]
) -> None:
    monkeypatch.setattr(checking, "CACHED_FROM", 1)
    (root / "webhooks.d/a.yaml").write_text(WRONG)
    forge(root / place, root / "webhooks.d")
    env = {name: value.format(root=root) for name, value in variables.items()}
    assert run_cli("validate", cwd=root, env={"HOME": str(root.parent), **env}).exit_code == 1


def test_a_forged_result_would_be_believed_where_results_are_kept(
    run_cli: Run, root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Else the tests above would prove nothing."""
    monkeypatch.setattr(checking, "CACHED_FROM", 1)
    (root / "webhooks.d/a.yaml").write_text(WRONG)
    forge(tmp_path / "user/hookctl", root / "webhooks.d")
    assert run_cli("validate", cwd=root, env={"XDG_CACHE_HOME": str(tmp_path / "user")}).exit_code == 0


@pytest.mark.parametrize("variables", [{"HOME": ""}, {"HOME": "relative"}, {"HOME": "/nonexistent"}])
def test_without_a_home_nothing_is_kept_and_nothing_fails(
    run_cli: Run, root: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    monkeypatch.setattr(checking, "CACHED_FROM", 1)
    before = sorted(path.name for path in root.iterdir())
    assert run_cli("validate", cwd=root, env={"XDG_CACHE_HOME": "", **variables}).exit_code == 0
    assert sorted(path.name for path in root.iterdir()) == before
    if not os.access("/", os.W_OK):
        assert not Path("/nonexistent").exists()


# -- code and secrets ------------------------------------------------------------------------------------------------


def test_no_code_of_a_repository_is_run(root: Path) -> None:
    code = "import pathlib\npathlib.Path(__file__ + '.ran').write_text('x')\n"
    names = (
        "yaml",
        "click",
        "hookctl/__init__",
        "hookctl_plugins/__init__",
        "sitecustomize",
        "usercustomize",
        "evil",
        "json",
        "conftest",
    )
    for name in names:
        (root / f"{name}.py").parent.mkdir(exist_ok=True)
        (root / f"{name}.py").write_text(code)
    (root / "evil-1.dist-info").mkdir()
    (root / "evil-1.dist-info/entry_points.txt").write_text("[hookctl]\nevil = evil\n")
    (root / "evil-1.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: evil\nVersion: 1\n")
    script = Path(sys.executable).with_name("hookctl")
    for command in (["validate"], ["plan"], ["plugins"]):
        done = subprocess.run([script, *command], cwd=root, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        assert "evil" not in done.stdout
    assert [*root.rglob("*.ran")] == []
    subprocess.run([sys.executable, "-P", "-m", "hookctl", "validate"], cwd=root, capture_output=True, check=True)
    assert [*root.rglob("*.ran")] == []


@pytest.mark.parametrize(
    "command",
    [
        ["validate"],
        ["plan", "--format", "json"],
        ["render", "Siem"],
        ["list"],
        ["test", "--replay"],
        ["test", "--scenario", "429"],
    ],
)
def test_no_secret_is_read(
    run_cli: Run, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    (tmp_path / "secret").write_text(CANARY)
    headers = (
        f'headers: {{X-A: "${{file:{tmp_path}/secret}}", X-B: "${{env:TOKEN}}"}}\n'
        'auth: {type: bearer, token: "${env:TOKEN}"}\n'
    )
    (root / "webhooks.d/a.yaml").write_text(GOOD + headers)

    def never(_: str) -> str:
        raise AssertionError("a secret was read")

    monkeypatch.setattr("hookctl_plugins.secret.file.read_file", never)
    monkeypatch.setattr("hookctl_plugins.secret.environment.read_variable", never)
    result = run_cli(*command, cwd=root, env={"TOKEN": CANARY})
    assert "AssertionError" not in result.stderr
    assert CANARY not in result.stdout + result.stderr


# -- what is written -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (["validate", "--format", "json=out"], "out"),
        (["plan", "--format", "markdown=reports/out"], "reports"),
        (["plan", "--out", "out"], "out"),
        (["plan", "--out", "reports/out"], "reports"),
        (["test", "--replay", "--junit", "out"], "out"),
        (["--dir", "hooks", "init"], "hooks"),
        (["init"], ".github"),
        (["init"], ".gitignore"),
    ],
)
@pytest.mark.parametrize("exists", [True, False])
def test_nothing_is_written_through_a_link(
    run_cli: Run, root: Path, tmp_path: Path, command: list[str], name: str, *, exists: bool
) -> None:
    target = tmp_path / "elsewhere"
    if exists and name in {"out", ".gitignore"}:
        target.write_text(CANARY)
    elif exists:
        target.mkdir()
    (root / name).symlink_to(target)
    result = run_cli(*command, cwd=root)
    assert result.exit_code == 1
    assert re.search("cannot be (written|changed|saved)", result.stderr)
    assert (root / name).is_symlink()
    assert [*target.iterdir()] == [] if target.is_dir() else not target.exists() or target.read_text() == CANARY


@pytest.mark.parametrize("name", ["hookctl.db", "hookctl.db-wal", "hookctl.db-shm", "hookctl.db-journal"])
def test_no_file_of_the_store_is_a_link_that_leads_out(run_cli: Run, root: Path, tmp_path: Path, name: str) -> None:
    (root / ".hookctl").mkdir()
    (root / ".hookctl" / name).symlink_to(tmp_path / "elsewhere")
    result = run_cli("plan", cwd=root)
    assert (result.exit_code, (tmp_path / "elsewhere").exists()) == (1, False)
    assert f"Error: the store .hookctl/{name} cannot be used: it points outside its directory" in result.stderr


def test_a_recording_is_not_written_through_a_link(root: Path, tmp_path: Path) -> None:
    exchange = cassette.from_yaml(CASSETTE)
    (root / "tests").symlink_to(tmp_path)
    (root / "kept").mkdir()
    (root / "kept/Siem.yaml").symlink_to(tmp_path / "elsewhere")
    for directory in ("tests/cassettes", "kept"):
        with pytest.raises(CassetteError, match="cannot be written"):
            cassette.keep(Path(directory), "Siem", exchange)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkout"]


@pytest.mark.parametrize(
    ("name", "stream"), [("/dev/stdout", 0), ("/dev/stderr", 1), ("/dev/fd/1", 0), ("/proc/self/fd/2", 1)]
)
def test_streams_are_written_to_and_not_replaced(root: Path, tmp_path: Path, name: str, stream: int) -> None:
    outputs = [tmp_path / "0", tmp_path / "1"]
    with outputs[0].open("wb") as out, outputs[1].open("wb") as err:
        out.write(b"before\n")
        out.flush()
        script = [
            str(Path(sys.executable).with_name("hookctl")),
            "validate",
            "--format",
            "text",
            "--format",
            f"json={name}",
        ]
        subprocess.run(script, cwd=root, stdout=out, stderr=err, check=True)
    assert outputs[0].read_text().startswith("before\n1 webhook in 1 file")
    assert json.loads(re.sub("(?s).*problems found.\n", "", outputs[stream].read_text()))["valid"]


def test_a_given_pipe_is_read(root: Path) -> None:
    event = json.dumps(load_plugins().event_types["anomaly"].mock)
    script = f"{Path(sys.executable).with_name('hookctl')} plan --sample /dev/stdin --events <(echo '{{}}')"
    done = subprocess.run(["bash", "-c", script], cwd=root, input=event, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert re.search(r"/dev/fd/\d+: skipped 1 line that is not an event", done.stderr)


# -- paths -----------------------------------------------------------------------------------------------------------


@given(st.lists(st.sampled_from(["a", "..", ".", "in", "out", "loop", ".git", "file"]), max_size=8).map("/".join))
def test_what_is_resolved_is_inside(tmp_path_factory: pytest.TempPathFactory, path: str) -> None:
    base = tmp_path_factory.getbasetemp() / "resolved"
    if not base.exists():
        (base / "root/a/.git").mkdir(parents=True)
        (base / "root/in").symlink_to("a")
        (base / "root/a/out").symlink_to(base)
        (base / "root/out").symlink_to("..")
        (base / "root/loop").symlink_to("loop")
        (base / "root/a/file").symlink_to(".git")
    try:
        real = files.resolve(base / "root" / path, base / "root")
    except FileOutsideError:
        return
    assert Path(real).is_relative_to(base.resolve() / "root")
    assert ".git" not in real or ".git" in path


@pytest.mark.parametrize("path", ["a\0b", "x" * 5000, "a/" * 3000])
def test_what_is_not_a_path_is_an_error_of_ours(path: str) -> None:
    for use in (
        lambda: files.read_given(path, limit=1),
        lambda: files.read_file(path, ".", limit=1),
        lambda: files.write_file(path, "", mode=0o600),
    ):
        with pytest.raises(FileError):
            use()


# -- recordings ------------------------------------------------------------------------------------------------------

CASSETTE = """\
version: 1
interactions:
- request: {method: POST, uri: https://siem.example.com/ingest, headers: {}, body: null}
  response: {status: {code: 200, message: OK}, headers: {}, body: {string: ""}}
"""
BOMB = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (BOMB + CASSETTE, "an anchor or an alias"),
        (CASSETTE.replace("OK", "&a OK"), "an anchor or an alias"),
        (
            CASSETTE.replace("headers: {}, body: {", "headers: {A: " + "[" * 20 + "]" * 20 + "}, body: {"),
            "are nested more than",
        ),
        (
            CASSETTE.replace("headers: {}, body: {", "headers: {A: " + "[" * 5000 + "]" * 5000 + "}, body: {"),
            "are nested more than",
        ),
        (CASSETTE.replace("200", ".inf"), "its status is not a valid HTTP status"),
        (CASSETTE.replace("200", "9" * 10_000), "its status is not a valid HTTP status"),
        (CASSETTE.replace("200", "1" + ":10" * 300_000), "its status is not a valid HTTP status"),
        (CASSETTE.replace("OK", "!!python/object/apply:os.system [exit 1]"), None),
        (CASSETTE.replace("version: 1", "version: !!int 1:1"), "its version is not 1"),
        ("#" * 5_000_000, "larger than"),
    ],
)
def test_a_recording_that_would_end_hookctl(run_cli: Run, root: Path, text: str, reason: str | None) -> None:
    (root / "tests/cassettes").mkdir(parents=True)
    (root / "tests/cassettes/Siem.yaml").write_text(text)
    result = run_cli("test", "--replay", cwd=root)
    assert result.exit_code == 1
    assert result.stderr == ""
    if reason:
        assert reason in result.stdout


def test_a_recording_that_is_a_link_is_not_shown(run_cli: Run, root: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text(f"{CANARY}: [\n")
    (root / "tests/cassettes").mkdir(parents=True)
    (root / "tests/cassettes/Siem.yaml").symlink_to(tmp_path / "elsewhere")
    result = run_cli("test", "--replay", cwd=root)
    assert (result.exit_code, CANARY in result.stdout + result.stderr) == (1, False)
    assert "cannot be read: it points outside its directory" in result.stdout


# -- git -------------------------------------------------------------------------------------------------------------


def test_a_revision_of_billions_of_files_is_refused(run_cli: Run, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def git(*arguments: str, given: str = "") -> str:
        command = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", *arguments]
        return subprocess.run(command, cwd=root, input=given, capture_output=True, text=True, check=True).stdout.strip()

    git("init", "--quiet")
    tree = git("mktree", given=f"100644 blob {git('hash-object', '-w', '--stdin')}\ta.yaml\n")
    for _ in range(10):
        tree = git("mktree", given="".join(f"040000 tree {tree}\td{number}\n" for number in range(10)))
    git("update-ref", "refs/heads/bomb", git("commit-tree", tree, "-m", "x"))
    monkeypatch.setattr(revision, "MAX_LISTED", 1_000_000)
    result = run_cli("--dir", ".", "plan", "--against", "bomb", cwd=root)
    assert result.exit_code == 1
    assert "contains more files than hookctl lists" in result.stderr


@pytest.mark.parametrize(
    "ref",
    [
        "--output=x",
        "-h",
        "--upload-pack=touch x",
        "^HEAD",
        "",
        "HEAD\n",
        "HEAD:webhooks.d",
        "@{-1}",
        "HEAD^{/x",
        "a..b",
    ],
)
def test_a_revision_is_never_an_option(root: Path, ref: str) -> None:
    for arguments in (
        ["init", "--quiet"],
        ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm0", "--allow-empty"],
    ):
        subprocess.run(["git", *arguments], cwd=root, check=True)
    with pytest.raises(RevisionError):
        revision.read_revision(root / "webhooks.d", ref)
    assert sorted(path.name for path in root.iterdir()) == [".git", "webhooks.d"]


# -- commands of CI systems ------------------------------------------------------------------------------------------

SPACES = st.sampled_from(
    [
        "",
        " ",
        "\t",
        "\u3000",
        "\u00a0",
        "\n",
        "\r",
        "\r\n",
        "x",
        "::",
        ":",
        "#",
        "##",
        "##[",
        "##vso[",
        "group]",
        "\\",
        "é",
    ]
)


@given(st.lists(SPACES | st.text(max_size=3), max_size=30).map("".join))
def test_inert_text_holds_no_command(text: str) -> None:
    lines = re.split(r"\r\n|\r|\n", inert(text))
    assert [line for line in lines if line.lstrip().startswith("::") or "##[" in line or "##vso[" in line] == []
    assert inert(text).replace("\\u003a", ":").replace("\\u0023", "#") == text.replace("\\u003a", ":").replace(
        "\\u0023", "#"
    )


@given(
    st.recursive(
        st.text() | st.just("##[group]x") | st.just("::error::"),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=5,
    )
)
def test_inert_json_is_the_same_json(document: Any) -> None:
    for indent in (None, 2):
        assert json.loads(inert(json.dumps(document, ensure_ascii=False, indent=indent))) == document


def test_every_command_prints_by_the_one_way() -> None:
    direct = {
        path.name
        for path in (ENGINE / "cli").rglob("*.py")
        if re.search(r"click\.echo|click\.secho|print\(|std(out|err)\.write", path.read_text())
    }
    assert direct == {"echo.py", "formats.py", "streams.py"}  # the github form; what the code of a plugin prints


@pytest.mark.parametrize(
    "arguments",
    [
        ["::error::x"],
        ["plan", "--only", "::error::x\n::error::y"],
        ["explain", "x\n::add-mask::y"],
        ["show", "##[group]x"],
    ],
)
def test_messages_hold_no_command(run_cli: Run, root: Path, arguments: list[str]) -> None:
    result = run_cli(*arguments, cwd=root)
    assert result.exit_code in {1, 64}
    assert not re.search(r"^\s*::|##\[", result.stdout + result.stderr, re.MULTILINE)
