"""Events and deliveries on disk: what is due, what was tried, what came of it."""
