"""Templates compiled to functions of an event."""
