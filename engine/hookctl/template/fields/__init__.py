"""The fields that a template reads, checked against the event's schema."""
