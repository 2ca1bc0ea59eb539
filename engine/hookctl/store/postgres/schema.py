"""The tables of the PostgreSQL store, and their migrations.

Deliveries that may still be made are few and change often; those that have ended are many and hardly ever change. Both
are in one table, ``deliveries``, in different partitions: PostgreSQL moves a row when its column ``ended`` changes.
Bodies are elsewhere, in ``events`` and ``attempts``. What grows with time has a partition for each generation, which
``generations.py`` begins and drops.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

from hookctl.errors import StoreError, StoreGoneError
from hookctl.store.overview_bounds import COUNTS
from hookctl.store.postgres import sharing
from hookctl.store.postgres.address import Address
from hookctl.store.postgres.connection import Connection, connect
from hookctl.store.postgres.failures import errors_as_store_errors
from hookctl.store.postgres.generations import begin
from hookctl.store.postgres.rights import create_schema, refuse_forbidden

_COLUMNS = ", ".join(f"{name} bigint NOT NULL" for name in COUNTS)
_TEXT = 'text COLLATE "C"'

TABLES = f"""
    CREATE TABLE meta (
        only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
        version integer NOT NULL,    -- how many of the migrations have run
        store text NOT NULL          -- an id, to tell this store from another one in its place
    );

    -- They grow with time, although not strictly if several hosts take numbers.
    CREATE SEQUENCE event_numbers AS bigint;
    CREATE SEQUENCE delivery_numbers AS bigint;
    CREATE SEQUENCE attempt_numbers AS bigint;
    CREATE TABLE generations (
        number integer PRIMARY KEY,
        began_at timestamptz NOT NULL DEFAULT now()
    );
    CREATE FUNCTION take_numbers(numbers regclass, count bigint, lock_class integer, lock_number integer)
    RETURNS bigint LANGUAGE plpgsql AS $$
    DECLARE first bigint;
    BEGIN
        -- For microseconds, and not until the end of the transaction: the numbers of one batch have no gaps.
        PERFORM pg_advisory_lock(lock_class, lock_number);
        first := nextval(numbers);
        IF count > 1 THEN PERFORM setval(numbers, first + count - 1); END IF;
        PERFORM pg_advisory_unlock(lock_class, lock_number);
        RETURN first;
    END $$;

    -- Each event once, however many webhooks want it. Each generation has a unique index on the id.
    CREATE TABLE events (
        seq bigint NOT NULL,
        event_time double precision NOT NULL,
        received_at double precision NOT NULL,
        id {_TEXT} NOT NULL,
        event_type {_TEXT} NOT NULL,
        document text NOT NULL,
        trace text
    ) PARTITION BY RANGE (seq);
    CREATE UNIQUE INDEX ON events (seq);
    CREATE INDEX ON events (received_at, seq, event_type);
    CREATE TABLE events_kept PARTITION OF events DEFAULT;
    CREATE INDEX ON events_kept (id);  -- not unique: an id that came again after long may be kept twice

    CREATE TABLE deliveries (
        seq bigint NOT NULL,
        event bigint NOT NULL,
        created_at double precision NOT NULL,
        due_at double precision NOT NULL,
        set_at double precision NOT NULL,       -- when its due time was set, or when it ended
        ready_at double precision,              -- when it can be claimed: due_at, or the end of its lease; NULL: never
        lease_until double precision,           -- the end of the lease by the worker's clock
        lease_ends double precision,            -- the same by the server's clock
        replayed_at double precision,
        attempts integer NOT NULL DEFAULT 0,
        lease integer NOT NULL DEFAULT 0,       -- how often it was claimed
        cause integer,                          -- why its last attempt failed: a row of causes, or not known yet
        ended boolean NOT NULL DEFAULT false,   -- it is delivered, dead or cancelled, and no worker has claimed it
        id {_TEXT} NOT NULL,
        webhook {_TEXT} NOT NULL,
        status {_TEXT} NOT NULL DEFAULT 'waiting',
        reason text NOT NULL DEFAULT '',
        owner {_TEXT},                          -- the worker that has claimed it
        planned text                            -- digest of the plan that it is replayed by; NULL: the applied one
    ) PARTITION BY LIST (ended);
    CREATE TABLE live PARTITION OF deliveries FOR VALUES IN (false) WITH (
        fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0
    );
    CREATE UNIQUE INDEX live_seq ON live (seq);
    CREATE UNIQUE INDEX live_id ON live (id);
    CREATE INDEX live_ready ON live (webhook, ready_at, seq) WHERE ready_at IS NOT NULL;
    CREATE INDEX live_owned ON live (owner) WHERE owner IS NOT NULL;
    CREATE INDEX live_event ON live (event);
    CREATE INDEX live_created ON live (created_at, seq);
    CREATE INDEX live_of_webhook ON live (webhook, seq);
    CREATE INDEX live_held ON live (webhook, seq) WHERE status = 'held';
    CREATE INDEX live_retrying ON live (webhook, seq) WHERE status = 'retrying';
    CREATE INDEX live_cause ON live (status, cause, webhook) WHERE status = 'retrying';
    CREATE TABLE ended PARTITION OF deliveries FOR VALUES IN (true) PARTITION BY RANGE (seq);
    CREATE UNIQUE INDEX ON ended (seq);
    CREATE INDEX ON ended (id);
    CREATE INDEX ON ended (event);
    CREATE INDEX ON ended (created_at, seq);
    CREATE INDEX ON ended (webhook, seq);
    CREATE INDEX ON ended (webhook, created_at, seq) WHERE status = 'dead';
    CREATE INDEX ON ended (status, cause, webhook) WHERE status = 'dead';
    CREATE INDEX ON ended (status, created_at, seq) WHERE status IN ('dead', 'cancelled');
    CREATE TABLE ended_kept PARTITION OF ended DEFAULT;

    CREATE TABLE attempts (
        seq bigint NOT NULL DEFAULT nextval('attempt_numbers'),
        delivery bigint NOT NULL,
        started_at double precision NOT NULL,
        seconds double precision NOT NULL,
        delivered boolean NOT NULL,
        result text NOT NULL,        -- a status, a kind of failure, or mismatch and the status
        record text NOT NULL
    ) PARTITION BY RANGE (delivery);
    CREATE INDEX ON attempts (delivery, seq);
    CREATE INDEX ON attempts (seq);
    CREATE TABLE attempts_kept PARTITION OF attempts DEFAULT;

    -- Each delivery plan that an attempt has used.
    CREATE TABLE plans (digest text PRIMARY KEY, document text NOT NULL);
    -- The idempotency keys of requests with events, each with a digest of what was sent.
    CREATE TABLE request_keys (key {_TEXT} PRIMARY KEY, content text NOT NULL, at double precision NOT NULL);
    CREATE INDEX ON request_keys (at);

    CREATE TABLE holds (
        webhook {_TEXT} PRIMARY KEY,
        serial bigint NOT NULL,      -- of the applied state that it was held under
        reason text NOT NULL,
        since double precision NOT NULL,
        plan text NOT NULL DEFAULT '',    -- digest of the delivery plan that is held
        secrets text NOT NULL DEFAULT ''  -- keyed digest of the secrets in use
    );
    CREATE TABLE last_results (webhook {_TEXT} PRIMARY KEY, status text NOT NULL, at double precision NOT NULL)
        WITH (fillfactor = 50);
    CREATE TABLE circuits (
        webhook {_TEXT} PRIMARY KEY,
        state text NOT NULL,
        reason text NOT NULL,
        since double precision NOT NULL,
        until double precision NOT NULL
    );
    CREATE TABLE reconciled (serial bigint NOT NULL);
    INSERT INTO reconciled VALUES (0);

    -- The applied state, and its history.
    CREATE TABLE applied_webhooks (name {_TEXT} PRIMARY KEY, digest text NOT NULL, document text NOT NULL);
    CREATE TABLE applied_event_types (name {_TEXT} PRIMARY KEY, document text NOT NULL);
    CREATE TABLE applies (
        serial bigint PRIMARY KEY,
        applied_at double precision NOT NULL,
        applied_by text NOT NULL,
        plan_digest text NOT NULL,
        state_digest text NOT NULL,  -- SHA-256 over the names and digests that the apply left
        commit_id text NOT NULL DEFAULT ''
    );
    CREATE INDEX ON applies (applied_at, serial);
    CREATE TABLE renames (
        serial bigint NOT NULL,
        old {_TEXT} NOT NULL,
        new {_TEXT} NOT NULL,
        taken boolean NOT NULL DEFAULT false,  -- the old name was given to another webhook since
        PRIMARY KEY (serial, old)
    );
    CREATE TABLE routes (
        name {_TEXT} NOT NULL,
        serial bigint NOT NULL,
        event text,                  -- NULL, like status: the webhook was removed
        status text,
        condition text,
        PRIMARY KEY (name, serial)
    );
    CREATE TABLE changes (
        name {_TEXT} NOT NULL,
        serial bigint NOT NULL,
        action text NOT NULL,
        before text NOT NULL,        -- digests of delivery plans; empty: none
        after text NOT NULL,
        renamed_from text NOT NULL,
        PRIMARY KEY (name, serial)
    );
    CREATE INDEX ON changes (serial, name);
    CREATE TABLE past_plans (digest text PRIMARY KEY, document text NOT NULL);
    CREATE TABLE lock (
        only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
        id text NOT NULL,
        operation text NOT NULL,
        who text NOT NULL,
        pid bigint NOT NULL,
        version text NOT NULL,
        since double precision NOT NULL
    );
    CREATE TABLE audit (
        seq bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
        id text NOT NULL UNIQUE,
        at double precision NOT NULL,
        who text NOT NULL,
        action text NOT NULL,
        what text NOT NULL,
        reason text NOT NULL,
        deliveries bigint NOT NULL
    );
    CREATE INDEX ON audit (at, seq);
    CREATE TABLE tokens (
        seq bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
        id text NOT NULL UNIQUE,
        name {_TEXT} NOT NULL,
        digest text NOT NULL,        -- SHA-256 of the token; the token itself is nowhere
        scopes text[] NOT NULL,
        event_types text[],          -- NULL: every type
        signature text NOT NULL,
        secrets text[] NOT NULL,     -- references, never secrets
        wrap text NOT NULL,
        created_at double precision NOT NULL,
        created_by text NOT NULL,
        expires_at double precision,
        last_used_at double precision,
        revoked_at double precision,
        revoked_by text NOT NULL DEFAULT ''
    );
    CREATE UNIQUE INDEX ON tokens (name) WHERE revoked_at IS NULL;

    -- Behind pages: attempts of the last 24 hours, counted by webhook and hour.
    CREATE TABLE counted (
        attempt bigint NOT NULL,     -- the number of the last attempt that is counted
        hour bigint NOT NULL         -- the first hour that recent covers, in hours since the epoch
    );
    INSERT INTO counted VALUES (0, 0);
    CREATE TABLE hours (hour bigint NOT NULL, webhook {_TEXT} NOT NULL, {_COLUMNS}, PRIMARY KEY (hour, webhook));
    CREATE TABLE recent (webhook {_TEXT} PRIMARY KEY, {_COLUMNS});
    CREATE TABLE causes (
        id integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
        result text NOT NULL,        -- a status, a kind of failure, mismatch; empty: never tried
        head text NOT NULL           -- the beginning of the response's body, or the message; empty: any other
    );
    CREATE UNIQUE INDEX ON causes (result, md5(head));
    CREATE TABLE hour_causes (
        hour bigint NOT NULL,
        webhook {_TEXT} NOT NULL,
        cause integer NOT NULL,
        attempts bigint NOT NULL,
        last_at double precision NOT NULL,
        delivery text NOT NULL,      -- the id of one that failed so
        PRIMARY KEY (hour, webhook, cause)
    );
"""  # noqa: S608 - constants
INDEXES = {"live": 10, "ended": 8, "events": 2, "attempts": 2, "applies": 2, "audit": 3, "tokens": 3}
"""How many indexes tables have, for ``doctor``."""
MIGRATIONS: tuple[Callable[[Connection], object], ...] = ()
"""What to run on the tables of an older version, in order. They are only ever added at the end."""
VERSION = 1 + len(MIGRATIONS)
"""The version of the tables that this hookctl uses."""
ADVISORY = 0x686F6F6B
"""A number for the lock that is held while tables are made."""


def exists(address: Address) -> bool:
    """Whether there is a store at the address. Raises SettingsError and StoreError."""
    with errors_as_store_errors(address), connect(address) as connection:
        return _version(connection) > 0


def initialize(address: Address) -> str:
    """Create the tables if there are none; returns what was done. Raises SettingsError and StoreError."""
    with errors_as_store_errors(address), connect(address) as connection:
        return ensure(connection, address.schema)


def ensure(connection: Connection, schema: str) -> str:
    """As :func:`initialize`, on a connection."""
    if not _version(connection):
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (ADVISORY,))
            if not _version(connection):
                _create(connection, schema)
                return f"created the store in schema {schema}, version {VERSION}"
    _refuse_other(_version(connection))
    return f"the store is already there, in version {VERSION}"


def upgrade(address: Address) -> str:
    """Upgrade the tables to this version; returns what was done. Raises SettingsError and StoreError."""
    with errors_as_store_errors(address), connect(address) as connection, connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (ADVISORY,))
        before = _version(connection)
        if not before:
            raise StoreError("there is no store to upgrade", hint="Create one: hookctl store init.")
        if before == VERSION:
            return f"the store has version {VERSION} already"
        if before > VERSION:
            _refuse_other(before)
        connection.execute("SET LOCAL statement_timeout = 0")
        for migrate in MIGRATIONS[before - 1 :]:
            migrate(connection)
        connection.execute("UPDATE meta SET version = %s", (VERSION,))
        return f"upgraded the store from version {before} to {VERSION}"


def identify(connection: Connection) -> str:
    """The id of the store. Raises StoreGoneError if there is none, and StoreError if it has another version."""
    version = _version(connection)
    if not version:
        raise StoreGoneError("the store's tables are gone", hint="Restore them from a backup, or name another store.")
    _refuse_other(version)
    row = connection.execute("SELECT store FROM meta").fetchone()
    return str(row[0]) if row else ""


def _version(connection: Connection) -> int:
    """The version of the tables; 0 if there are none."""
    row = connection.execute("SELECT to_regclass('meta') IS NOT NULL AND current_schema() IS NOT NULL").fetchone()
    if not row or not row[0]:
        refuse_forbidden(connection)
        return 0
    found = connection.execute("SELECT version FROM meta").fetchone()
    return int(found[0]) if found else 0


def _refuse_other(version: int) -> None:
    if version > VERSION:
        raise StoreError(
            f"the store has version {version}, and this hookctl knows versions up to {VERSION}",
            hint="Upgrade hookctl here.",
        )
    if version < VERSION:
        raise StoreError(
            f"the store has version {version}, and this hookctl needs version {VERSION}",
            hint="Stop hookctl on every machine, upgrade it there, and run `hookctl store upgrade` once.",
        )


def _create(connection: Connection, schema: str) -> None:
    create_schema(connection, schema)
    connection.execute(TABLES)
    connection.execute(sharing.TABLES)
    begin(connection, 1)
    connection.execute("INSERT INTO meta (version, store) VALUES (%s, %s)", (VERSION, secrets.token_hex(8)))
