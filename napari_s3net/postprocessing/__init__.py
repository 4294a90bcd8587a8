"""From probabilities at the working size to numbered, named labels at the image's size."""
