"""For tests of webhooks and of plugins: a real HTTPS receiver, an in-memory transport, and a pytest plugin."""
