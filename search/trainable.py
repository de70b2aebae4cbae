"""The only place where Ray meets copytask: one trial as a Ray Tune trainable."""

import dataclasses
from typing import Any

from ray import tune

from copytask import DivergedError, Trainer, TrainingConfig, configure_process
from study_format import COMPLETED, FAILED

STATUS = "status"
"""In a result: empty while the trial goes on, COMPLETED or FAILED in its last one."""

ERROR = "error"


class CopyTrainable(tune.Trainable):
    """Runs a :class:`copytask.Trainer`; ``config["training"]`` is its config as plain values.

    A trial that diverges ends with a result that says so, not with an exception: the next
    trial can then use the same worker process, which saves seconds a trial.
    """

    def setup(self, config: dict[str, Any]) -> None:
        resources = self.trial_resources.required_resources
        configure_process(threads=max(1, int(resources.get("CPU", 1))))
        training = TrainingConfig.from_dict(config["training"])
        if training.device == "auto":  # a GPU of the machine that Ray did not give is not ours
            device = "cuda" if resources.get("GPU", 0) > 0 else "cpu"
            training = dataclasses.replace(training, device=device)
        self.trainer = Trainer(training)
        self.parameters = self.trainer.model.parameter_count()

    def step(self) -> dict[str, Any]:
        try:
            metrics = self.trainer.run_iteration()
        except DivergedError as error:
            return {
                "done": True,
                STATUS: FAILED,
                ERROR: str(error),
                "parameters": self.parameters,
                "ladder_accuracy": 0.0,
                "validation_accuracy": 0.0,
            }
        finished = self.trainer.finished
        return {
            "done": finished,
            STATUS: COMPLETED if finished else "",
            "parameters": self.parameters,
            **dataclasses.asdict(metrics),
        }

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        self.trainer.save(checkpoint_dir)

    def load_checkpoint(self, checkpoint_dir: str) -> None:
        self.trainer = Trainer.load(checkpoint_dir)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        self.setup(new_config)
        return True
