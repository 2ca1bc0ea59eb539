"""Report formats: those of ``--format`` other than text, one module each, and what they share."""
