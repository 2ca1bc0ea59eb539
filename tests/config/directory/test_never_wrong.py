"""Whatever happens to files and cache, a run with the cache says what a run without it says."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from hookctl.config import file_results
from hookctl.config.cache import Cache, fingerprint
from hookctl.config.diff import make_plan
from hookctl.config.directory import CheckedDirectory, check_contents, check_directory
from hookctl.config.effects import find
from hookctl.config.review import Review, plan_effects
from hookctl.model import AppliedState, DeliveryPlan, Finding, Span
from hookctl.plugin.host import load_plugins
from hookctl.report.text.plan import plan_json, render_text

PLUGINS = load_plugins()
NAMES = ["a.yaml", "b.yaml", "c.yml", "below/a.yaml", "below/z.yaml", "é.yaml"]
FIELDS = "event: anomaly\nurl: https://a.example.com/x\n"
OPTIONAL = 'body_template: |\n  {"a": "{{ data.recommendation }}"}\n'
"""The event may hold null there: a warning."""
FIRST = [
    f"name: Three\n{FIELDS}{OPTIONAL}",
    f"name: Four\n{FIELDS}---\nname: Five\n{FIELDS}{OPTIONAL}",
    f"name: Nine\n{FIELDS}status: inactive\nrate_limit: 5/s\n",
    f"name: Ten\n{FIELDS}auth: {{type: oauth2, client_id: a, client_secret: '${{env:A}}', token_url: 'https://b.example.com/'}}\n",
]
"""What the files hold at first: without an error, so that there is a plan."""
TEXTS = [
    *FIRST,
    *(f"name: {name}\n{FIELDS}timeout_seconds: {seconds}\n" for name in ("One", "Two", "one") for seconds in (1, 2)),
    f"name: Six\n{FIELDS}when: data.nonsense\n",
    f"name: Seven\n{FIELDS}---\nname: One\nunknown: field\n",
    f"\ufeffname: Eight\n{FIELDS}",
    "name: [\n",
    "",
    "# nothing\n",
]
"""Clean, with warnings, with errors, with several documents, with names in common."""


def seen(checked: CheckedDirectory) -> tuple[object, ...]:
    """All that a command can learn: findings with their places, webhooks with their fields and places, plans whole."""
    webhooks = [
        (webhook.name, webhook.number, webhook.fields, webhook.file, webhook.positions.value(("name",)))
        for webhook in (webhook for file in checked.files for webhook in file.webhooks())
    ]
    plans = {name: (plan.name, plan.digest, plan.canonical()) for name, plan in checked.plans.items()}
    return checked.findings, webhooks, plans, [file.path for file in checked.files], checked.valid


def told(checked: CheckedDirectory) -> tuple[str, str]:
    """The plan of what a directory holds, nothing of it applied, for people and for machines."""
    with patch.object(find, "MAX_NEW_RENDERED", 1):  # the others are told in short
        plan = make_plan(AppliedState(), checked.plans, {})
        review = Review(
            plan=plan,
            effects=plan_effects(plan, PLUGINS),
            file_findings=checked.findings,
            plan_findings=(),
            applied=AppliedState(),
        )
        return render_text(review, color=False), "".join(plan_json(review))


class Project(RuleBasedStateMachine):
    """Files and cache of a project, changed at random."""

    def __init__(self) -> None:
        super().__init__()
        self._root = TemporaryDirectory()
        self.directory = Path(self._root.name) / "webhooks.d"
        self.cache = Path(self._root.name) / "cache"
        (self.directory / "below").mkdir(parents=True)
        for name, text in zip(NAMES, FIRST, strict=False):
            (self.directory / name).write_text(text, encoding="utf-8")
        self.older: list[bytes] = []
        self.revision: list[tuple[str, bytes]] = []

    def teardown(self) -> None:
        self._root.cleanup()

    def files(self) -> Sequence[Path]:
        return sorted(path for path in self.directory.rglob("*.y*ml") if path.is_file())

    def kept(self) -> Sequence[Path]:
        return sorted(path for path in self.cache.glob("*") if path.name != ".gitignore")

    @rule(name=st.sampled_from(NAMES), text=st.sampled_from(TEXTS))
    def write(self, name: str, text: str) -> None:
        (self.directory / name).write_text(text, encoding="utf-8")

    @rule(name=st.sampled_from(NAMES), data=st.data())
    def rename(self, name: str, data: st.DataObject) -> None:
        if files := self.files():
            data.draw(st.sampled_from(files)).replace(self.directory / name)

    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        if files := self.files():
            data.draw(st.sampled_from(files)).unlink()

    @rule(junk=st.binary(max_size=8), data=st.data())
    def edit_a_file(self, junk: bytes, data: st.DataObject) -> None:
        if files := self.files():
            path = data.draw(st.sampled_from(files))
            path.write_bytes(damaged(path.read_bytes(), junk, data))

    @rule(data=st.data())
    def edit_a_file_behind_its_times(self, data: st.DataObject) -> None:
        """As an editor does that writes twice in one tick of the clock: neither size nor times tell."""
        if files := [path for path in self.files() if path.stat().st_size]:
            path = data.draw(st.sampled_from(files))
            about, content = path.stat(), bytearray(path.read_bytes())
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.sampled_from(b"12 A#\n"))
            path.write_bytes(content)
            os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))

    @rule(junk=st.binary(min_size=1, max_size=8), data=st.data())
    def damage_the_cache(self, junk: bytes, data: st.DataObject) -> None:
        for path in self.kept():
            path.write_bytes(damaged(path.read_bytes(), junk, data))

    @rule(data=st.data())
    def cut_the_cache(self, data: st.DataObject) -> None:
        for path in self.kept():
            content = path.read_bytes()
            path.write_bytes(content[: data.draw(st.integers(0, len(content)))])

    @rule()
    def remember_the_cache(self) -> None:
        self.older += (path.read_bytes() for path in self.kept())

    @rule(data=st.data())
    def bring_an_older_cache_back(self, data: st.DataObject) -> None:
        for path in self.kept():
            if self.older:
                path.write_bytes(data.draw(st.sampled_from(self.older)))

    @rule()
    def commit_the_files(self) -> None:
        self.revision = [(f"main:{path.name}", path.read_bytes()) for path in self.files()]

    @rule()
    def delete_the_cache(self) -> None:
        for path in self.kept():
            path.unlink()

    @invariant()
    def says_what_a_cold_run_says(self) -> None:
        cold = check_directory(self.directory, PLUGINS)
        expected = told(cold), seen(cold)
        for _ in range(2):
            warm = check_directory(self.directory, PLUGINS, cache=self.cache)
            assert (told(warm), seen(warm)) == expected  # the plan first: it is to read no more than it needs

    @invariant()
    def says_of_a_revision_what_a_cold_run_says(self) -> None:
        cold = seen(check_contents(self.revision, self.directory, PLUGINS))
        cache = Cache(self.cache, self.directory, fingerprint(PLUGINS))
        assert seen(check_contents(self.revision, self.directory, PLUGINS, cache)) == cold


def damaged(content: bytes, junk: bytes, data: st.DataObject) -> bytes:
    """The content with junk in the place of some of it."""
    at = data.draw(st.integers(0, len(content)))
    return content[:at] + junk + content[at + data.draw(st.integers(0, 8)) :]


def test_there_are_files_of_each_kind(tmp_path: Path) -> None:
    kinds = set()
    for text in TEXTS:
        (tmp_path / "a.yaml").write_text(text, encoding="utf-8")
        checked = check_directory(tmp_path, PLUGINS)
        kinds.add((checked.valid, bool(checked.findings), checked.count))
    assert kinds >= {
        (True, False, 1),
        (True, True, 1),
        (True, True, 2),
        (False, True, 1),
        (False, True, 2),
        (False, True, 0),
    }


def test_it_makes_no_difference_how_many_files_are_checked_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, text in enumerate([*TEXTS, *TEXTS[:3]]):
        (tmp_path / f"{number:02}.yaml").write_text(text, encoding="utf-8")
    results = []
    for at_once in (1, 3, 100):
        monkeypatch.setattr(file_results, "AT_ONCE", at_once)
        results.append(seen(check_directory(tmp_path, PLUGINS)))
    assert results[0] == results[1] == results[2]


TestProject = Project.TestCase
TestProject.settings = settings(max_examples=50, stateful_step_count=12, deadline=None)


LETTERS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
SPANS = st.none() | st.builds(Span, *[st.integers(1, 10**6)] * 4)


@given(LETTERS, LETTERS, SPANS, st.lists(LETTERS, max_size=3).map(tuple))
def test_a_warning_comes_back_as_it_was(
    message: str, hint: str, span: Span | None, suggestions: tuple[str, ...]
) -> None:
    from hookctl.config.cache import Cache, Result
    from hookctl.model import Severity, SourceFile

    warning = Finding(
        rule="template-optional-path",
        severity=Severity.WARNING,
        message=message,
        hint=hint,
        file=SourceFile("a.yaml", "text"),
        span=span,
        suggestions=suggestions,
        webhook="A",
    )
    with TemporaryDirectory() as folder:
        cache = Cache(Path(folder), Path("webhooks.d"), "key")
        cache.add(b"text", Result(["A", "B"], ["d1", "d2"], [warning, warning]))
        cache.add(b"none", Result(["C"], ["d3"]))
        cache.save()
        again = Cache(Path(folder), Path("webhooks.d"), "key")
        assert again.get("a.yaml", b"text") == Result(["A", "B"], ["d1", "d2"], [warning, warning])
        assert again.get("b.yaml", b"none") == Result(["C"], ["d3"])
        assert again.get("b.yaml", b"other") is None
        assert Cache(Path(folder), Path("webhooks.d"), "other key").get("a.yaml", b"text") is None


def test_plans_are_equal_and_not_only_their_digests(tmp_path: Path) -> None:
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / "a.yaml").write_text(TEXTS[0])
    cold, warm = ({**check_directory(tmp_path / "w", PLUGINS, cache=tmp_path / "cache").plans} for _ in range(2))
    assert [*cold] == [*warm]
    assert all(isinstance(plan, DeliveryPlan) and plan == cold[name] for name, plan in warm.items())
