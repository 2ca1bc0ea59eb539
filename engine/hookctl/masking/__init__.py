"""Finds secrets in text from outside, in whatever encoding they come, and masks them."""
