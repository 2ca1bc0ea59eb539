"""The template language: text to a syntax tree."""
