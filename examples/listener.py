"""A listener of your own: appends a line for each trial that has ended to a file of the study.

    python -m search.run --model gru --config quick.yaml --logger examples/listener.py:MyListener

`search.study.listener.Listener` has all moments that a listener may be told.
"""

from search.study.listener import Listener


class MyListener(Listener):
    def __init__(self, study):
        self.file = study.path / "endings.txt"

    def trial_ended(self, trial):
        with self.file.open("a") as file:
            print(trial.id, trial.status, trial.validation_accuracy, file=file)
