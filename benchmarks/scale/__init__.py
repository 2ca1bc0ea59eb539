"""Workers on one store, compared with other queues on the same PostgreSQL."""
