"""The napari side: the only folder that imports napari, Qt or magicgui. It holds no algorithm."""
