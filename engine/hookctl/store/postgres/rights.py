"""What hookctl's user may do with the schema of a store."""

from __future__ import annotations

import psycopg
from psycopg import sql

from hookctl.errors import StoreError
from hookctl.store.postgres.connection import Connection, quoted

IS_FORBIDDEN = """
    SELECT nspname FROM pg_namespace
    WHERE nspname = current_setting('search_path') AND NOT has_schema_privilege(oid, 'USAGE')
"""


def refuse_forbidden(connection: Connection) -> None:
    """Raise StoreError if there is a schema that the user may not use: its tables would look as if there were none."""
    row = connection.execute(IS_FORBIDDEN).fetchone()
    if row:
        raise StoreError(
            f"the user {connection.info.user} may not use the schema {row[0]}",
            hint="Connect as the user that owns it, or have an administrator run: "
            f"ALTER SCHEMA {row[0]} OWNER TO {connection.info.user}",
        )


def create_schema(connection: Connection, schema: str) -> None:
    """Create the schema if there is none. Raises StoreError if the user may not."""
    # IF NOT EXISTS would require the right to create schemas in the database, even if the schema exists.
    row = connection.execute("SELECT to_regnamespace(%s) IS NOT NULL", (schema,)).fetchone()
    if row and row[0]:
        return
    try:
        with connection.transaction():
            connection.execute(sql.SQL("CREATE SCHEMA {}").format(quoted(schema)))
    except psycopg.errors.InsufficientPrivilege as error:
        raise StoreError(
            f"hookctl may not create the schema {schema}: {error.diag.message_primary}",
            hint=f"Have an administrator run: CREATE SCHEMA {schema} AUTHORIZATION {connection.info.user}",
        ) from error
