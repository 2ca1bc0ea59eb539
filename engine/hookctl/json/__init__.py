"""JSON: strict and quick parsing, equality, kinds, paths, differences and schemas."""
