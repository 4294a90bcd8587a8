"""The Learn dock: from the few images that were corrected to all others."""
