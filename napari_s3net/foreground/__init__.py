"""Which part of the image is the object, without looking at any label."""
