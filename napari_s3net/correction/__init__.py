"""Corrections: what the user drew, how it changes the labels, and where a stroke is worth most."""
