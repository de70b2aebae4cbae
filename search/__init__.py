"""Searches hyperparameters of recurrent networks on the copy task with Ray Tune and Optuna."""
