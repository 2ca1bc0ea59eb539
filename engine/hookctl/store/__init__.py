"""The SQLite file under ``.hookctl/``: opened safely, changed in transactions, its tables versioned."""

from hookctl.store.damage import Damaged
from hookctl.store.sqlite import Meanwhile, check_identity, connect, errors_as_store_errors, real_path, transaction
from hookctl.store.tables import migrate, table_version

__all__ = ["Damaged", "Meanwhile", "check_identity", "connect", "errors_as_store_errors", "migrate", "real_path", "table_version", "transaction"]
