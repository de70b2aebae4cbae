"""Trains and evaluates sequence models on tasks of memory. Needs only torch.

Train a model, save it, and score it on fresh payloads::

    from copytask import Trainer, TrainingConfig, evaluate, load_model

    trainer = Trainer(TrainingConfig(model="mgru", T=100))
    for metrics in trainer:
        print(metrics.tokens, metrics.validation_accuracy)
    trainer.save("checkpoint")
    print(evaluate(load_model("checkpoint"), "delay", 100))
"""

from copytask.engine import compiled_kernels
from copytask.models import MODELS, CopyModel, SequenceModel, build_model, check_cell
from copytask.tasks import TASKS, Batch, Task, find_task
from copytask.training.checkpoint import load_model
from copytask.training.config import OPTIMIZERS, TrainingConfig
from copytask.training.curriculum import CURRICULA, AdaptiveLengths, Curriculum, LengthRamp
from copytask.training.evaluation import Evaluation, evaluate, evaluate_ladder, ladder
from copytask.training.metrics import SOLVED_ACCURACY, Metrics
from copytask.training.precision import fastest_precision
from copytask.training.process import MALLOC_ENVIRONMENT, configure_process
from copytask.training.seeds import MAX_SEED, Purpose
from copytask.training.trainer import DivergedError, Trainer

__all__ = [
    "CURRICULA",
    "MALLOC_ENVIRONMENT",
    "MAX_SEED",
    "MODELS",
    "OPTIMIZERS",
    "SOLVED_ACCURACY",
    "TASKS",
    "AdaptiveLengths",
    "Batch",
    "CopyModel",
    "Curriculum",
    "DivergedError",
    "Evaluation",
    "LengthRamp",
    "Metrics",
    "Purpose",
    "SequenceModel",
    "Task",
    "Trainer",
    "TrainingConfig",
    "build_model",
    "check_cell",
    "compiled_kernels",
    "configure_process",
    "evaluate",
    "evaluate_ladder",
    "fastest_precision",
    "find_task",
    "ladder",
    "load_model",
]
