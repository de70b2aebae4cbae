"""Searches hyperparameters of recurrent networks on the copy task with Ray Tune and Optuna."""

import sys

if sys.platform == "win32":  # fcntl, which locks a study, would fail with a traceback
    sys.exit("error: the search runs on Linux and macOS; on Windows, run it under WSL")
