"""What tests of webhooks and of plugins use: a real HTTPS receiver, an in-memory transport, a pytest plugin."""
