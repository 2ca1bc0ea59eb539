"""What the cache spares, and whom it believes."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hookctl.config import directory as checking
from hookctl.config.cache import Cache, Result, fingerprint
from hookctl.config.check import WebhookChecker
from hookctl.config.directory import check_contents, check_directory
from hookctl.errors import StateError
from hookctl.model import Finding, Webhook
from hookctl.on_demand import known_plans
from hookctl.plugin import EventType, FilterType, hookimpl
from hookctl.plugin.host import load_plugins

PLUGINS = load_plugins()


def webhook_text(number: int, event: str = "anomaly") -> str:
    return f"name: W{number}\nevent: {event}\nurl: https://a.example.com/{number}\n"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    directory = tmp_path / "webhooks.d"
    directory.mkdir()
    for number in range(5):
        (directory / f"{number}.yaml").write_text(webhook_text(number))
    return directory


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the webhooks that were checked."""
    names: list[str] = []
    check = WebhookChecker.check

    def counting(self: WebhookChecker, webhook: Webhook) -> list[Finding]:
        names.append(webhook.name)
        return check(self, webhook)

    monkeypatch.setattr(WebhookChecker, "check", counting)
    return names


@pytest.fixture
def run(directory: Path, looked_at: list[str]) -> Callable[[], list[str]]:
    """Checks the directory with its cache, and gives the names of the webhooks that were looked at."""

    def run() -> list[str]:
        looked_at.clear()
        check_directory(directory, PLUGINS, cache=directory.parent / "cache")
        return [*looked_at]

    return run


def cache_file(directory: Path) -> Path:
    (file,) = (directory.parent / "cache").iterdir()
    return file


def test_only_what_has_changed_is_checked(directory: Path, run: Callable[[], list[str]]) -> None:
    assert len(run()) == 5
    assert run() == []
    (directory / "3.yaml").write_text(webhook_text(30))
    assert run() == ["W30"]
    assert run() == []


def test_a_renamed_file_is_not_checked_again(directory: Path, run: Callable[[], list[str]]) -> None:
    run()
    (directory / "3.yaml").rename(directory / "renamed.yaml")
    assert run() == []


def test_a_file_with_an_error_is_checked_in_each_run(directory: Path, run: Callable[[], list[str]]) -> None:
    (directory / "3.yaml").write_text("name: Wrong\n")
    run()
    assert run() == ["Wrong"]


def test_what_is_gone_is_forgotten(directory: Path, run: Callable[[], list[str]]) -> None:
    run()
    size = cache_file(directory).stat().st_size
    for number in range(1, 5):
        (directory / f"{number}.yaml").unlink()
    assert run() == []
    assert cache_file(directory).stat().st_size < size


def test_a_small_directory_leaves_nothing_on_disk(
    directory: Path, run: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "CACHED_FROM", 100)
    run()
    assert not (directory.parent / "cache").exists()


def test_two_directories_have_a_cache_each(directory: Path, run: Callable[[], list[str]]) -> None:
    run()
    other = directory.parent / "other"
    other.mkdir()
    (other / "a.yaml").write_text(webhook_text(7))
    check_directory(other, PLUGINS, cache=directory.parent / "cache")
    assert run() == []


def test_it_is_for_its_owner_alone(directory: Path, run: Callable[[], list[str]]) -> None:
    run()
    assert stat.S_IMODE(cache_file(directory).stat().st_mode) == 0o600
    assert stat.S_IMODE((directory.parent / "cache").stat().st_mode) == 0o700


def test_one_that_others_may_write_or_read_is_not_believed(directory: Path, run: Callable[[], list[str]]) -> None:
    """As a file would be that came with a checkout."""
    run()
    cache_file(directory).chmod(0o644)
    assert len(run()) == 5
    assert stat.S_IMODE(cache_file(directory).stat().st_mode) == 0o600
    assert run() == []


def test_a_link_is_not_followed(directory: Path, run: Callable[[], list[str]]) -> None:
    run()
    file = cache_file(directory)
    file.rename(directory.parent / "elsewhere")
    file.symlink_to(directory.parent / "elsewhere")
    assert len(run()) == 5
    assert not file.is_symlink()


def test_where_it_cannot_be_written_the_run_goes_on(directory: Path, run: Callable[[], list[str]]) -> None:
    (directory.parent / "cache").write_text("in the way")
    assert len(run()) == 5
    assert len(run()) == 5


def test_nothing_is_left_of_a_write_that_failed(
    directory: Path, run: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", fail)
        run()
    assert [*(directory.parent / "cache").iterdir()] == []
    assert len(run()) == 5


def test_a_result_that_is_not_of_this_hookctl_is_refused(directory: Path) -> None:
    """It would take a forged cache, or a plugin that does not always say the same."""
    cache = Cache(directory.parent / "cache", directory, fingerprint(PLUGINS))
    cache.add((directory / "0.yaml").read_bytes(), Result(["W0"], ["0" * 64]))
    cache.save()
    plans = known_plans(check_directory(directory, PLUGINS, cache=directory.parent / "cache").plans)
    assert plans.digests["W0"] == "0" * 64
    with pytest.raises(StateError, match=r"0\.yaml"):
        _ = plans["W0"]


def test_a_revision_takes_what_the_directory_has_too(
    directory: Path, run: Callable[[], list[str]], looked_at: list[str]
) -> None:
    """As ``plan --against`` does: the files that a branch leaves alone are not checked a second time."""
    committed = [(f"main:{path.name}", path.read_bytes()) for path in sorted(directory.iterdir())]
    (directory / "3.yaml").write_text(webhook_text(3) + "description: changed\n")
    run()
    kept = cache_file(directory).read_bytes()
    looked_at.clear()
    cache = Cache(directory.parent / "cache", directory, fingerprint(PLUGINS))
    checked = check_contents(committed, directory, PLUGINS, cache)
    assert looked_at == ["W3"]
    assert [plan.description for plan in checked.plans.values()] == [None] * 5
    assert cache_file(directory).read_bytes() == kept


def plugin(schema: dict[str, object]) -> object:
    class Plugin:
        @hookimpl
        def hookctl_event_types(self) -> Iterable[EventType]:
            return [EventType(name="other", summary="", schema=schema, mock={})]  # type: ignore[arg-type]

    return Plugin()


def test_another_set_of_plugins_is_another_cache(directory: Path) -> None:
    """What a plugin adds makes files right that were wrong, and the other way round."""
    (directory / "0.yaml").write_text(webhook_text(0, "other") + "when: data.a\n")
    cache = directory.parent / "cache"
    objects = {"type": "object", "additionalProperties": False}
    schema = {**objects, "properties": {"data": {**objects, "properties": {"a": {"type": "string"}}}}}
    with_a, without = (
        load_plugins([plugin(schema)]),
        load_plugins([plugin({**objects, "properties": {"data": objects}})]),
    )
    for _ in range(2):
        assert check_directory(directory, with_a, cache=cache).valid
        assert [finding.rule for finding in check_directory(directory, without, cache=cache).findings] == [
            "when-unknown-path"
        ]
        assert [finding.rule for finding in check_directory(directory, PLUGINS, cache=cache).findings] == [
            "unknown-event-type"
        ]


def test_changed_code_is_another_fingerprint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "someplugin"
    package.mkdir()
    (package / "__init__.py").write_text(
        "from hookctl.plugin import hookimpl\n@hookimpl\ndef hookctl_secret_sources():\n    return ()\n",
    )
    (package / "data.json").write_text("{}")
    monkeypatch.syspath_prepend(str(tmp_path))
    module = __import__("someplugin")
    plugins = load_plugins([module])
    before = fingerprint(plugins)
    assert fingerprint(plugins) == before != fingerprint(PLUGINS)
    (package / "data.json").write_text("{ }")
    changed = fingerprint(plugins)
    assert changed != before
    os.utime(package / "__init__.py", ns=(1, 1))
    assert fingerprint(plugins) != changed


def test_a_filter_that_declares_other_types_is_another_fingerprint() -> None:
    class Plugin:
        def __init__(self, **types: frozenset[str]) -> None:
            self.types = types

        @hookimpl
        def hookctl_filter_types(self) -> list[FilterType]:
            return [FilterType(name="shout", summary="", call=str, **self.types)]

    kinds: list[dict[str, frozenset[str]]] = [{}, {"takes": frozenset({"string"})}, {"gives": frozenset({"string"})}]
    assert len({fingerprint(load_plugins([Plugin(**types)])) for types in kinds}) == 3


def test_a_distribution_of_another_version_is_another_fingerprint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site-packages"
    (site / "jmespath-1.0.1.dist-info").mkdir(parents=True)
    monkeypatch.syspath_prepend(str(site))
    before = fingerprint(PLUGINS)
    (site / "jmespath-1.0.1.dist-info").rename(site / "jmespath-1.0.2.dist-info")
    assert fingerprint(PLUGINS) != before


def test_several_at_once_do_not_harm_each_other(directory: Path) -> None:
    names = {*check_directory(directory, PLUGINS).plans}

    def often(worker: int) -> None:
        for round_ in range(10):
            (directory / f"own-{worker}.yaml").write_text(webhook_text(100 + worker) + f"description: '{round_}'\n")
            checked = check_directory(directory, PLUGINS, cache=directory.parent / "cache")
            found = checked.plans[f"W{100 + worker}"]
            assert found.description == str(round_)
            assert names <= {*checked.plans}

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(often, worker) for worker in range(4)]:
            done.result()
