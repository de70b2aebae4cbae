"""Replays searches on recorded learning curves, with a simulated clock and without training."""
