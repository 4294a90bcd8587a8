"""One result and its files."""
