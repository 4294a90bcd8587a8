"""Ways to train, one file each; `trainer.make_trainer` builds the one that a run asks for."""
