"""Devices, memory, generators and child processes: how work is done, whatever the work is."""
