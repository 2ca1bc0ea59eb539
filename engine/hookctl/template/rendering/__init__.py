"""Compiles templates to functions of an event."""
