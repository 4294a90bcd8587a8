"""Learn from the few images that were corrected, for all the others: plain, IDEAL and KAF."""
