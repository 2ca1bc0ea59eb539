"""One attempt: prepare, authenticate, send, validate, record."""
