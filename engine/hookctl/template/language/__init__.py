"""The template language: turns text into a syntax tree."""
