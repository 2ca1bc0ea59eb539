"""The proof that a template's text is JSON whatever an event holds, and the JSON position of each output."""
