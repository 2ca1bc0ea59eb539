"""Delivery: events are taken in, routed, rendered, sent and retried."""
