"""Ways to train, one file each; `variants.make_trainer` builds the one that a run asks for."""
