"""Proves that a template's text is JSON for every event, and finds the JSON position of each output."""
