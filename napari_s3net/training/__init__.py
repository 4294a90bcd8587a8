"""Ways to train: each gives a network, or a scorer, for one image or for many."""
