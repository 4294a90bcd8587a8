"""The napari side: the only folder that imports napari, vispy or Qt. It holds no algorithm."""
