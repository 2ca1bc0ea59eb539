"""The PostgreSQL store: several hosts on one database."""
