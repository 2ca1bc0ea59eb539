"""One attempt: prepare, authenticate, send, judge, record."""
