"""Random command lines, variables, settings and input: each gives a message and a documented exit code.

The command lines are made from the command tree, so a new command or option is tried without a word here. ``make test``
tries a few, always the same; ``make fuzz SECONDS=600`` tries new ones for as long as it is told.
"""

from __future__ import annotations

import io
import itertools
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import click
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from hookctl.cli import exit_codes
from hookctl.cli.formats import OutputType, format_names
from hookctl.cli.main import hookctl, main
from hookctl.cli.settings import SETTINGS

SECONDS = float(os.environ.get("FUZZ_SECONDS", "0"))
SEED = os.environ.get("FUZZ_SEED") or str(time.time_ns())
"""Where the cases of ``make fuzz`` begin; the same seed gives the same cases."""
"""How long each test goes on; 0 for one short round of the same examples each time."""
CODES = {value for name, value in vars(exit_codes).items() if name.isupper()}
HANG_SECONDS = 60
EVENT = '{"id":"e%d","event_type":"anomaly","event_time":1,"data":{"title":"x","severity":"high"}}'

# Nothing here is without end: what hookctl reads of a device that never ends is the matter of other tests.
PATHS = (
    *(
        "webhooks.d",
        "webhooks.d/first.yaml",
        "events.jsonl",
        "plan.json",
        "hookctl.toml",
        "missing",
        "new/deep/file",
        ".",
    ),
    *("n" * 300, "d/" * 2100 + "x", "webhooks.d/first.yaml/x", "/dev/null", "", "-", "é\u202e\x1b[31m", "a b"),
)
NUMBERS = (
    "0",
    "1",
    "-1",
    "7",
    "99999999999999999999",
    "9" * 5000,
    "1e999",
    "nan",
    "0x10",
    "1.5",
    "\u0663",
    "8443",
    "429",
)
DURATIONS = ("0s", "1ms", "99999999999999999999d", "9" * 5000, "-1s", "1e9s", "2h", "999999999999999d", "1.5")
TEXTS = (
    *(
        "",
        "--",
        "-x",
        "First webhook",
        "first webhook",
        "a" * 5000,
        "9" * 5000,
        "\u202e",
        "${env:X}",
        "*",
        "%s{}",
        "HEAD",
        "anomaly",
    ),
    *(
        "sqlite:///other.db",
        "sqlite:///" + "n" * 300,
        "sqlite:///webhooks.d",
        "redis://x",
        "siem.example.com:443:127.0.0.1:1",
    ),
    *(
        "siem.example.com:443:127.0.0.1:" + "9" * 5000,
        "/in={}",
        "text=" + "n" * 300,
        "json=/dev/full",
        "timeout,429",
        "4" * 5000,
    ),
)
TOML = (
    *(
        "1",
        "-1",
        '""',
        '"x"',
        "true",
        "nan",
        "-inf",
        "1979-05-27",
        "[]",
        "[1]",
        '["x"]',
        "{}",
        "{a = 1}",
        '{a = ["10.0.0.0/8"]}',
    ),
    *(
        "9" * 5000,
        "0x" + "f" * 6000,
        '"\\u0000"',
        f'"{"a" * 5000}"',
        "[[[[[]]]]]",
        "{removal_percent = 0x" + "f" * 6000 + "}",
    ),
    *(
        '{age = "99999999999999999999999d"}',
        '{age = "1d", size = "1e9GB"}',
        "{max_waiting = 99999999999999999999}",
        "07:32:00",
    ),
    *(
        "{owner_label = {}}",
        "{timeout_at_most = {seconds = 0x" + "f" * 6000 + "}}",
        '["siem.example.com:443:127.0.0.1:1"]',
        "{",
    ),
)
WORLD = {
    "COLUMNS": ("0", "-1", "x", "99999999999999999999", "1", ""),
    "TZ": ("", "x/y", ":", "\u202e", "UTC+999999"),
    "NO_COLOR": ("", "1"),
    "HOME": ("", "/missing"),
    "LANG": ("C", "xx"),
    "PYTHONIOENCODING": ("ascii", "latin-1", "utf-16"),
    "HOOKCTL_DEBUG": ("",),
}


def walk(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command that can be run, with the words that name it."""
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from walk(found, (*path, name))
    else:
        yield path, command


COMMANDS = [*walk(hookctl)]
text = st.sampled_from(TEXTS) | st.text(st.characters(codec="utf-8", exclude_characters="\0/"), max_size=12)
anything = text | st.sampled_from(PATHS + NUMBERS + DURATIONS)


def values(parameter: click.Parameter) -> st.SearchStrategy[str]:
    """Mostly what such a parameter takes, sometimes anything."""
    kind, metavar = parameter.type, parameter.metavar or ""
    if isinstance(kind, click.Choice):
        fitting = st.sampled_from([str(choice) for choice in kind.choices])
    elif isinstance(kind, OutputType):
        fitting = st.builds(
            lambda form, file: form + file,
            st.sampled_from(format_names(kind.kinds, None)),
            st.sampled_from(("", "", "=new", "=/dev/full")),
        )
    elif isinstance(kind, click.types.IntParamType):
        fitting = st.sampled_from(NUMBERS)
    elif isinstance(kind, click.File | click.Path) or metavar in {"FILE", "DIR"}:
        fitting = st.sampled_from(PATHS)
    else:
        fitting = st.sampled_from(DURATIONS) if metavar == "DURATION" else text
    return st.one_of(fitting, fitting, fitting, anything)


def variable(path: tuple[str, ...], option: click.Parameter) -> str:
    """The environment variable of an option: the first, where it has several."""
    names = option.envvar or "_".join(("HOOKCTL", *path, option.name or "")).upper()
    return names if isinstance(names, str) else names[0]


@dataclass(frozen=True)
class Case:
    """One run of the command line."""

    arguments: tuple[str, ...]
    environment: dict[str, str]
    toml: bytes
    stdin: bytes


@st.composite
def options(draw: st.DrawFn, path: tuple[str, ...], command: click.Command, environment: dict[str, str]) -> list[str]:
    """Some of a command's options as words; some others go into the environment."""
    words: list[str] = []
    for parameter in command.params:
        if not isinstance(parameter, click.Option) or parameter.is_eager:
            continue
        where = draw(st.integers(0, 9))
        if where == 0:
            environment[variable(path, parameter)] = draw(values(parameter))
        elif where < 4:
            words += (
                [draw(st.sampled_from(parameter.opts))]
                if parameter.is_flag
                else [parameter.opts[0], draw(values(parameter))]
            )
    return words


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A command line from the command tree, and the world around it."""
    path, command = draw(st.sampled_from(COMMANDS))
    environment = {
        name: draw(st.sampled_from(WORLD[name])) for name in draw(st.sets(st.sampled_from(sorted(WORLD)), max_size=2))
    }
    words = draw(options((), hookctl, environment)) if draw(st.booleans()) else []
    words += [*path, *draw(options(path, command, environment))]
    for parameter in command.params:
        if isinstance(parameter, click.Argument):
            words += [draw(values(parameter)) for _ in range(draw(st.sampled_from((1, 1, 1, 0, 2))))]
    words += draw(st.lists(anything, max_size=1)) if draw(st.integers(0, 9)) == 0 else []
    lines = [
        f"{key} = {draw(st.sampled_from(TOML))}" for key in draw(st.sets(st.sampled_from([*SETTINGS, "x"]), max_size=2))
    ]
    toml = draw(st.binary(max_size=20)) if draw(st.integers(0, 9)) == 0 else "\n".join(lines).encode()
    return Case(tuple(words), environment, toml, draw(stdins()))


def stdins() -> st.SearchStrategy[bytes]:
    """Events, good and bad, in several encodings."""
    bad = (
        "[" * 5000,
        "{",
        '{"id":' + "9" * 5000 + "}",
        "NaN",
        '"\\ud800"',
        "1e999",
        EVENT.replace("1,", "9" * 5000 + ",", 1),
        "null",
        "",
    )
    lines = st.lists(st.sampled_from([EVENT % 1, EVENT % 2, *bad]), max_size=4).map("\n".join)
    arrays = st.lists(st.sampled_from([EVENT % 1, *bad]), max_size=3).map(lambda items: f"[{','.join(items)}]")
    encoded = st.builds(
        lambda text, encoding: text.encode(encoding),
        lines | arrays,
        st.sampled_from(("utf-8", "utf-8", "utf-8-sig", "utf-16")),
    )
    return encoded | st.binary(max_size=30)


class HangError(BaseException):
    """A command that did not end. Not an Exception, so that nothing takes it for its own."""


def no_name(*_: object, **__: object) -> NoReturn:
    """Stands in for the resolver: nothing leaves this machine."""
    raise socket.gaierror(socket.EAI_NONAME, "no name in a fuzz test")


@contextmanager
def ending(seconds: float) -> Iterator[None]:
    """Ask the command to stop, as an operator does, when it goes on for long; HangError when it does not obey."""
    alarms = 0

    def alarm(*_: object) -> None:
        nonlocal alarms
        alarms += 1
        if alarms > HANG_SECONDS:
            raise HangError
        if alarms <= 2:  # the second asks for the end at once
            os.kill(os.getpid(), signal.SIGTERM)

    def terminate(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, alarm), signal.signal(signal.SIGTERM, terminate)
    signal.setitimer(signal.ITIMER_REAL, seconds, 1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before[0])
        signal.signal(signal.SIGTERM, before[1])


class Writes:
    """What this process opens for writing, makes, renames or removes outside of a directory.

    Python itself keeps the modules that it has compiled; that does not count.
    """

    def __init__(self) -> None:
        self.root: Path | None = None
        self.outside: list[str] = []
        sys.addaudithook(self._see)

    def _see(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.root is None:
            return
        writes = event in {"os.mkdir", "os.rename", "os.remove", "os.symlink", "os.chmod"} or (
            event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        )
        if writes and isinstance(arguments[0], str | bytes):
            place = Path(os.path.abspath(os.fsdecode(arguments[0])))  # noqa: PTH100 - links are left as they are
            if "__pycache__" in place.parts:
                return
            if not place.is_relative_to(self.root) and not place.is_relative_to("/dev"):
                self.outside.append(f"{event} {place}")


@pytest.fixture(scope="module")
def writes() -> Writes:
    return Writes()


Runner = Callable[..., tuple[int, str]]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, writes: Writes) -> Iterator[Runner]:
    """Run a case in this process, in a fresh copy of a project with an applied webhook and a waiting delivery."""
    base = tmp_path_factory.mktemp("fuzz")
    root, template = base / "root", base / "template"
    template.mkdir()
    (template / "events.jsonl").write_text(EVENT % 0)

    def run(case: Case, place: Path, seconds: float) -> tuple[int, str]:
        out, err = io.BytesIO(), io.BytesIO()
        with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
            for name in [name for name in os.environ if name.startswith("HOOKCTL_")]:
                patch.delenv(name)
            for name, value in case.environment.items():
                patch.setenv(name, value)
            for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "ZDOTDIR"):
                patch.delenv(name, raising=False)
            patch.setenv("HOME", str(place))  # where `completion install` writes
            patch.setattr(sys, "argv", ["hookctl", *case.arguments])
            patch.setattr(sys, "stdin", io.TextIOWrapper(Input(case.stdin)))
            patch.setattr(sys, "stdout", io.TextIOWrapper(out, "utf-8", "backslashreplace", write_through=True))
            patch.setattr(sys, "stderr", io.TextIOWrapper(err, "utf-8", "backslashreplace", write_through=True))
            patch.setattr(socket, "getaddrinfo", no_name)
            patch.setattr(tempfile, "tempdir", str(place))
            patch.chdir(place)
            writes.root, writes.outside = place, []
            stack.callback(setattr, writes, "root", None)
            stack.enter_context(ending(seconds))
            with pytest.raises(SystemExit) as ended:
                main()
            assert isinstance(ended.value.code, int)
            return ended.value.code, out.getvalue().decode() + err.getvalue().decode()

    def fresh(case: Case) -> tuple[int, str]:
        shutil.rmtree(root, ignore_errors=True)
        shutil.copytree(template, root)
        (root / "hookctl.toml").write_bytes(case.toml)
        return run(case, root, 0.5 if {"run", "listen"} & {*case.arguments} else 3.0)

    for words in ("init", "plan --out plan.json", "apply --auto-approve", "send events.jsonl --wait 0s"):
        code, said = run(Case(tuple(words.split()), {}, b"", b""), template, HANG_SECONDS)
        assert code in {0, 1}, said
    yield fresh
    assert writes.outside == []


def complain(case: Case, code: int, said: str) -> None:
    """Fail with the whole case for an end that is not documented."""
    why = f"{case}\n-> {code}\n{said[-3000:]}"
    assert code in CODES, why
    for words in ("Traceback (most recent", "Exception ignored", "a bug in hookctl", "Fatal Python"):
        assert words not in said, why
    assert said.strip() or code in {0, exit_codes.BROKEN_PIPE} or "=" in str(case), why


class Input(io.BytesIO):
    """Bytes with the name that standard input has."""

    name = "<stdin>"


def repeat(round_of: Callable[[str], None]) -> None:
    """Once, or as long as ``make fuzz`` asks for; each round is given a seed of its own."""
    until = time.monotonic() + SECONDS
    for number in itertools.count():
        round_of(f"{SEED}/{number}")
        if time.monotonic() >= until:
            return


budget = settings(deadline=None, derandomize=not SECONDS, suppress_health_check=[*HealthCheck], print_blob=True)


# click opens the file of one parameter, and does not close it when a later parameter is wrong; the process ends then.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_any_command_line_ends_with_a_message_and_a_documented_code(site: Runner, writes: Writes) -> None:
    def round_of(start: str) -> None:
        @seed(start)
        @settings(budget, max_examples=200 if SECONDS else 120)
        @given(cases())
        def property_(case: Case) -> None:
            complain(case, *site(case))
            assert writes.outside == [], case

        property_()

    repeat(round_of)


# What the streams of a real process can be.
INPUTS = ("given", "closed", "null", "full", "written")
OUTPUTS = ("pipe", "closed", "full", "left")
IN_A_PROCESS = (
    "import socket, sys\n"
    "def no_name(*_, **__): raise socket.gaierror(-2, 'no name in a fuzz test')\n"
    "socket.getaddrinfo = no_name\n"
    "from hookctl.cli.main import main\n"
    "main()"
)


@pytest.fixture(scope="module")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Case, str, str, str], tuple[int, str]]]:
    """Runs a case in a process of its own, with the streams given."""
    base = tmp_path_factory.mktemp("processes")
    template, root = base / "template", base / "root"
    template.mkdir()
    (template / "events.jsonl").write_text(EVENT % 0)
    python = [sys.executable, "-c", IN_A_PROCESS]
    subprocess.run([*python, "init"], cwd=template, check=True, stdout=subprocess.DEVNULL)

    def run(case: Case, stdin: str, stdout: str, stderr: str) -> tuple[int, str]:
        shutil.rmtree(root, ignore_errors=True)
        shutil.copytree(template, root)
        (root / "hookctl.toml").write_bytes(case.toml)
        (base / "stdin").write_bytes(case.stdin)
        shell = 'ulimit -v 4000000; exec timeout --signal=TERM --kill-after=30 8 "$@"'
        shell += {
            "given": f" <{base}/stdin",
            "closed": " <&-",
            "null": " </dev/null",
            "full": " </dev/full",
            "written": f" 0>>{base}/written",
        }[stdin]
        shell += {"pipe": "", "closed": " >&-", "full": " >/dev/full", "left": " > >(exec true)"}[stdout]
        shell += {"pipe": "", "closed": " 2>&-", "full": " 2>/dev/full", "left": " 2> >(exec true)"}[stderr]
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("HOOKCTL_")
        } | case.environment
        command = ["bash", "-c", shell, "bash", *python, *case.arguments]
        done = subprocess.run(
            command, cwd=root, env=environment, capture_output=True, timeout=HANG_SECONDS, check=False
        )
        # 124: `timeout` had to ask for the end, as it must for run and listen; 137 is one that did not obey.
        code = exit_codes.INTERRUPTED if done.returncode == 124 else done.returncode
        return code, (done.stdout + done.stderr).decode(errors="replace")

    yield run
    assert sorted(path.name for path in base.iterdir() if path.name not in {"stdin", "written"}) == ["root", "template"]


@pytest.mark.parametrize("streams", ["input", "output", "errors"])
def test_any_streams_end_with_a_documented_code(
    processes: Callable[[Case, str, str, str], tuple[int, str]], streams: str
) -> None:
    def round_of(start: str) -> None:
        @seed(start)
        @settings(budget, max_examples=50 if SECONDS else 6)
        @given(cases(), st.sampled_from(INPUTS), st.sampled_from(OUTPUTS))
        def property_(case: Case, stdin: str, kind: str) -> None:
            stdout, stderr = kind if streams == "output" else "pipe", kind if streams == "errors" else "pipe"
            code, said = processes(case, stdin, stdout, stderr)
            complain(case, code, said if stderr == "pipe" else said or "not to be seen")

        property_()

    repeat(round_of)
