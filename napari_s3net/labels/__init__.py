"""Tools on label arrays: measurements, metrics, clean-up. numpy, scipy and scikit-image only."""
