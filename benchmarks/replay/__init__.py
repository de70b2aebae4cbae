"""Searches on recorded learning curves: a simulated clock, any number of workers, no training."""
