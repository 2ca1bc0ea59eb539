"""The functions of the built-in filters by subject, each with its declaration; ``filters`` collects them."""
