"""One interface that every store has completely, and one place that finds the implementation."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

import hookctl
from hookctl.errors import SettingsError, StoreError
from hookctl.store.interface import Store
from hookctl.store.opening import STORE_TYPES, open_store, store_files
from hookctl.store.postgres.store import PostgresStore
from hookctl.store.sqlite.store import SqliteStore

ENGINE = Path(hookctl.__file__).parent
IMPLEMENTATIONS = [PostgresStore, SqliteStore]


def public(class_: type) -> set[str]:
    return {name for name in dir(class_) if not name.startswith("_")}


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_a_store_has_what_the_interface_has_and_nothing_else(implementation: type) -> None:
    """So whatever is used outside of hookctl.store is part of the interface. mypy compares the signatures."""
    assert public(implementation) == public(Store)


def test_no_module_outside_names_an_implementation() -> None:
    """Not even for types, which the import contract does not see."""
    for package in ("postgres", "sqlite"):
        inside = ENGINE / "store" / package
        named = [
            path.relative_to(ENGINE).as_posix()
            for path in ENGINE.rglob("*.py")
            if inside not in path.parents and f"hookctl.store.{package}" in path.read_text(encoding="utf-8")
        ]
        assert named == ["store/opening.py"]


def test_the_scheme_selects_the_implementation(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/new/hookctl.db"
    assert open_store(url, create=False) is None
    assert list(tmp_path.iterdir()) == []
    with closing(open_store(url)) as store:
        assert isinstance(store, SqliteStore)
        assert store.read_state().serial == 0
    existing = open_store(url, create=False)
    assert existing is not None
    existing.close()


def test_the_files_of_a_store(tmp_path: Path) -> None:
    path = tmp_path / "hookctl.db"
    with closing(open_store(f"sqlite:///{path}")):
        assert {file for file in store_files(f"sqlite:///{path}") if file.exists()} == set(tmp_path.iterdir())
    assert store_files("sqlite:///relative.db")[0] == Path("relative.db")


@pytest.mark.parametrize("url", ["mysql://db/hookctl", "hookctl.db", "", "SQLITE:///x", "/var/lib/hookctl.db"])
def test_an_unknown_scheme_is_an_error(url: str) -> None:
    with pytest.raises(SettingsError, match="is not a store URL") as refused:
        open_store(url)
    path = url if url and "://" not in url else ".hookctl/hookctl.db"
    assert refused.value.hint.startswith(f"Write sqlite:///{path}")
    assert set(STORE_TYPES) == {"postgresql", "sqlite"}


@pytest.mark.parametrize("url", ["sqlite:", "sqlite:///", "sqlite:hookctl.db", "sqlite://host/hookctl.db"])
def test_a_url_without_a_file_is_an_error(url: str) -> None:
    for ask in (open_store, store_files):
        with pytest.raises(SettingsError, match="does not name a file"):
            ask(url)


@pytest.mark.parametrize(
    ("path", "message"),
    [(":memory:", "cannot be in memory"), ("a.db?x=1", "has parameters"), ("file.db?", "has parameters")],
)
def test_what_other_programs_put_into_a_url_is_not_taken_for_a_path(path: str, message: str) -> None:
    for ask in (open_store, store_files):
        with pytest.raises(SettingsError, match=message) as refused:
            ask(f"sqlite:///{path}")
        assert refused.value.hint


def test_a_directory_or_a_device_is_not_a_store(tmp_path: Path) -> None:
    (tmp_path / "webhooks.d").mkdir()
    with pytest.raises(StoreError, match=r"webhooks\.d is a directory") as refused:
        open_store(f"sqlite:///{tmp_path}/webhooks.d")
    assert "delete" not in refused.value.hint
    with pytest.raises(StoreError, match="/dev/null is not a regular file"):
        open_store("sqlite:////dev/null")


def test_a_store_that_does_not_exist_imports_no_sqlite(tmp_path: Path) -> None:
    code = "import sys, hookctl; print(hookctl.open_store(sys.argv[1], create=False), 'sqlite3' in sys.modules)"
    url = f"sqlite:///{tmp_path}/hookctl.db"
    ran = subprocess.run([sys.executable, "-c", code, url], capture_output=True, text=True, check=True)
    assert ran.stdout == "None False\n"
