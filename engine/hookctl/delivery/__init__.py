"""The delivery wing: events are taken in, routed, rendered, sent and retried."""
