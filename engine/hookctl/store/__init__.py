"""The SQLite file under ``.hookctl/``: opened safely, changed in transactions, its tables versioned."""

from hookctl.store.sqlite import Meanwhile, connect, errors_as_store_errors, transaction
from hookctl.store.tables import migrate, table_version

__all__ = ["Meanwhile", "connect", "errors_as_store_errors", "migrate", "table_version", "transaction"]
