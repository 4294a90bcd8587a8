"""Headers are checked here before any decoder sees the file."""
