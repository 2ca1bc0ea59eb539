"""The formats of request bodies: what a body template writes, and forms."""
