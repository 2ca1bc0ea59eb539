"""The intake of events."""
