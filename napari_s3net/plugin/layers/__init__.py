"""What this plugin knows of napari's layers."""
