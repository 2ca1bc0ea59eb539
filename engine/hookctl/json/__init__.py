"""What the program knows about JSON."""
