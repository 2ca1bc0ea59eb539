"""Text and JSON of what the stages found: pure functions that return strings."""
