"""What napari calls to open a sample: synthetic images, as if they had been read from a file."""

from __future__ import annotations

from napari_s3net import phantom
from napari_s3net.plugin.contributions.reader import LayerData, layer_data


def dermoscopy() -> list[LayerData]:
    """A synthetic dermoscopy photograph of a pigmented lesion.

    Returns
    -------
    list of tuple
        One image layer as napari takes it: the array (H, W, 3), attributes, "image".
    """
    return [layer_data(phantom.dermoscopy().image)]


def chest_ct() -> list[LayerData]:
    """A synthetic chest CT slice at the level of the heart.

    Returns
    -------
    list of tuple
        One image layer as napari takes it: the array (H, W) in HU, attributes, "image".
    """
    return [layer_data(phantom.chest_ct().image)]
