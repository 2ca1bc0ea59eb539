"""Where applied state, events, deliveries and attempts are kept."""
