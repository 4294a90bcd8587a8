"""The network, its layers, its losses and the warps: torch only, no files, no settings.

Letters in shapes: N images, C channels, K clusters, H rows, W columns; D channels that come out of a layer.
"""
