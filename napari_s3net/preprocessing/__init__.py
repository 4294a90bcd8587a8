"""From an image as it was opened to what the network is given to see: intensity window, hairs, working size."""
