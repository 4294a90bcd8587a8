"""Long work beside the window."""
