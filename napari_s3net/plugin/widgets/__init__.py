"""Widgets that more than one dock uses."""
