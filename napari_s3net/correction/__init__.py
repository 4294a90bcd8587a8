"""What the user drew, how it spreads, and where the result is unsure."""
