"""The network and its losses: torch only, no files, no settings object."""
