"""Describes what receivers get, in formats of other tools."""
