"""Tools for testing webhooks and plugins: a real HTTPS receiver, an in-memory transport and a pytest plugin."""
