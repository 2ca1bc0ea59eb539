"""``postgresql://...``: a store on a server. psycopg is imported only when there is a store to open."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from hookctl.errors import SettingsError
from hookctl.model.store_type import EngineCheck, StoreType
from hookctl.store.postgres.address import Address, parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hookctl.store.interface import Store

INSTALL = "Install the extra where hookctl is installed: pip install 'hookctl[postgres]'."


def open_url(url: str, *, create: bool) -> Store | None:
    """The store that the URL names; None if its schema does not exist and ``create`` is False."""
    address = _address(url)
    from hookctl.store.postgres.schema import exists
    from hookctl.store.postgres.store import PostgresStore

    if not create and not exists(address):
        return None
    return PostgresStore(address)


def check_engine() -> EngineCheck:
    """The version of psycopg and of its libpq."""
    if find_spec("psycopg") is None:
        return EngineCheck("postgresql", "psycopg is not installed", INSTALL)
    import psycopg

    libpq = psycopg.pq.version_pretty(psycopg.pq.version())
    return EngineCheck("postgresql", f"psycopg {psycopg.__version__}, libpq {libpq}")


def check_server(url: str) -> Iterator[EngineCheck]:
    """What is wrong, or worth knowing, about the server and the tables of a store."""
    address = _address(url)
    from hookctl.store.postgres.checks import checks

    yield from checks(address)


def initialize(url: str) -> str:
    """Create the tables of a store; see :attr:`hookctl.model.store_type.StoreType.initialize`."""
    address = _address(url)
    from hookctl.store.postgres.schema import initialize as create

    return create(address)


def upgrade(url: str) -> str:
    """Upgrade the tables of a store; see :attr:`hookctl.model.store_type.StoreType.upgrade`."""
    address = _address(url)
    from hookctl.store.postgres.schema import upgrade as run

    return run(address)


def _address(url: str) -> Address:
    address = parse(url)
    if find_spec("psycopg") is None:
        raise SettingsError("a store on PostgreSQL needs psycopg, which is not installed", hint=INSTALL)
    return address


STORE_TYPE = StoreType(
    scheme="postgresql",
    summary="A schema of a PostgreSQL database: postgresql://USER@HOST/DATABASE.",
    open=open_url,
    check_engine=check_engine,
    check_server=check_server,
    initialize=initialize,
    upgrade=upgrade,
)
