"""Deliveries that do not come from the store: tests, replays of recorded exchanges, scenarios and rendering."""
