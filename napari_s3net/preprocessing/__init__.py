"""From an image as it was opened to features at the working size."""
