"""One module per way to deliver."""
