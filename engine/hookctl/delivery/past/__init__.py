"""Events that came earlier: why each webhook did or did not receive them, and deliveries that are made later."""
