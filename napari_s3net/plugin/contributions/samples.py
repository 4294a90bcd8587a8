"""What napari calls to open a sample: synthetic images, as if they had been read from a file."""

from __future__ import annotations

from napari_s3net import phantom
from napari_s3net.plugin.contributions.reader import LayerData, layer_data


def dermoscopy() -> list[LayerData]:
    """A dermoscopy photograph of a pigmented lesion."""
    return [layer_data(phantom.dermoscopy().image)]


def chest_ct() -> list[LayerData]:
    """A chest CT slice in Hounsfield units, at the level of the heart."""
    return [layer_data(phantom.chest_ct().image)]
