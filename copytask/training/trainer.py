"""Trains one model, in iterations of a fixed number of tokens."""

import dataclasses
import sys
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import torch

from copytask.models import build_model
from copytask.tasks import Task, find_task
from copytask.training.batches import TrainingBatches
from copytask.training.checkpoint import (
    AnyPath,
    check_recorded_task,
    damage_as_value_error,
    load_state,
    recorded_factory,
    save_state,
)
from copytask.training.config import OPTIMIZERS, TrainingConfig
from copytask.training.curriculum import CURRICULA
from copytask.training.evaluation import evaluate_ladder
from copytask.training.metrics import Metrics, Progress
from copytask.training.precision import fastest_precision, matmul_precision
from copytask.training.process import configure_process
from copytask.training.random_state import RandomState
from copytask.training.rewind import Rewind
from copytask.training.seeds import Purpose, make_generator, stream_seed

DIVERGED = 10
"""A training has diverged if its mean loss is so many times that of guessing."""


class DivergedError(RuntimeError):
    """The training has diverged: its loss is not finite, or ten times that of guessing."""


class Trainer:
    """Trains the model of a :class:`TrainingConfig`.

    Iterating yields the :class:`copytask.Metrics` of each iteration until it is finished::

        for metrics in Trainer(TrainingConfig(model="gru", T=100)):
            print(metrics.tokens, metrics.validation_accuracy)

    Two trainers with the same config give bit-identical results on the same machine, even if one of
    them was saved and loaded in between. The transformer on a GPU is an exception. The precision
    ``auto`` is measured, so name a precision if results must not depend on that measurement. A
    trainer flushes denormals to zero in the whole process. See :func:`copytask.configure_process`.

    Args:
        config: the settings of the training.

    Attributes:
        config: the settings, with the precision that ``auto`` stands for.
        device: the torch device of the model.
        model: the :class:`copytask.CopyModel` that is trained.
        progress: the counters: iteration, step, tokens, seconds, solved.
        history: the metrics of every iteration so far; every checkpoint has them.
    """

    def __init__(self, config: TrainingConfig):
        configure_process()
        self.device = config.resolve_device()
        self.progress = Progress()
        self.history: list[Metrics] = []
        self._task = find_task(config.task)
        self._curriculum = CURRICULA[config.curriculum](config)
        self._batches = TrainingBatches(config, self._task, self.device)
        self._length_generator = make_generator(config.seed, Purpose.LENGTHS)
        # Each evaluation takes the next part of one stream: fresh payloads, and the same ones for
        # every training with this validation seed at the same iteration.
        self._validation_generator = make_generator(config.validation_seed, Purpose.VALIDATION)
        self._random_state = RandomState(self.device, stream_seed(config.seed, Purpose.MODEL))
        with self._random_state.active():
            self.model = build_model(
                config.model,
                config.hidden_size,
                task=self._task,
                **config.architecture,
            ).to(self.device)
        if config.precision == "auto":  # checkpoints have the result: a resumed training keeps it
            precision = fastest_precision(self.model, config.batch_size)
            config = dataclasses.replace(config, precision=precision)
        self.config = config
        self._parameters = [p for p in self.model.parameters() if p.requires_grad]
        make = OPTIMIZERS[config.optimizer]
        if "fused" in make.keywords and any(p.is_complex() for p in self._parameters):
            make = partial(make, fused=False)  # fused steps know no complex numbers
        self._optimizer: torch.optim.Optimizer = make(
            self.model.parameter_groups(), lr=config.learning_rate, weight_decay=config.weight_decay
        )
        self._rewind = Rewind(
            self.model, self._optimizer, self._task.chance_accuracy, enabled=config.rewind
        )

    @property
    def finished(self) -> bool:
        """Whether the budget is spent, or T is solved and ``stop_when_solved`` is set."""
        solved = self.progress.solved and self.config.stop_when_solved
        return solved or self._spent() >= 1

    def __iter__(self) -> Iterator[Metrics]:
        while not self.finished:
            yield self.run_iteration()

    def run_iteration(self) -> Metrics:
        """Train for ``tokens_per_iteration`` tokens, at least one step, then evaluate.

        Returns:
            The metrics of the iteration.

        Raises:
            DivergedError: the mean loss is not finite, or over ten times that of guessing, if the
                task has the usual loss.
        """
        start = time.perf_counter()
        progress = self.progress
        target = (progress.iteration + 1) * self.config.tokens_per_iteration
        total_loss = torch.zeros((), device=self.device)
        first_step = progress.step
        with self._random_state.active(), matmul_precision(self.config.precision):
            # At least one step, even if a batch has more tokens than an iteration.
            while progress.step == first_step or (progress.tokens < target and self._spent() < 1):
                total_loss += self._train_step()
            loss = float(total_loss) / (progress.step - first_step)
            chance = self._task.chance_cross_entropy
            # A loss of the task's own may have any scale.
            usual = type(self._task).loss is Task.loss
            if not loss <= (DIVERGED * chance if usual else sys.float_info.max):
                # search --replay compares this line with the one that a study has recorded
                raise DivergedError(
                    f"training diverged: mean loss {loss:.3g} nats a symbol over iteration "
                    f"{progress.iteration + 1} (chance is {chance:.2f})"
                )
            scores = evaluate_ladder(
                self.model,
                self._task,
                self.config.T,
                payloads=self.config.validation_payloads,
                generator=self._validation_generator,
            )
        progress.iteration += 1
        progress.seconds += time.perf_counter() - start
        at_T = scores[self.config.T]
        symbols = at_T.payloads * self._task.recalled(self.config.T)
        progress.note_accuracy(at_T.accuracy, symbols)
        metrics = Metrics(
            iteration=progress.iteration,
            step=progress.step,
            tokens=progress.tokens,
            seconds=progress.seconds,
            learning_rate=self._learning_rate(),
            max_length=self._curriculum.max_length(progress.step),
            training_loss=loss,
            validation_accuracy=at_T.accuracy,
            ladder_accuracy=sum(s.accuracy for s in scores.values()) / len(scores),
            exact_match=at_T.exact_match,
            validation_loss=at_T.cross_entropy,
            recalled_bits=at_T.recalled_bits,
            tokens_to_solve=progress.tokens_at_first_hit if progress.solved else None,
            seconds_to_solve=progress.seconds_at_first_hit if progress.solved else None,
        )
        self.history.append(metrics)
        self._rewind.after(metrics.ladder_accuracy)
        return metrics

    def state_floats(self) -> int:
        """Numbers that the model carries from step to step, at the end of a sequence at T."""
        return self.model.core.state_floats(self._task.length(self.config.T))

    def save(self, path: AnyPath) -> None:
        """Write a checkpoint, the whole state of the training, into the folder ``path``.

        Args:
            path: a string, a :class:`pathlib.Path`, or a path in an object store such as
                ``upath.UPath("s3://bucket/prefix")``.

        Raises:
            OSError: it cannot be written; an earlier checkpoint there is unchanged.
        """
        save_state(
            {
                "config": self.config.to_dict(),
                "progress": dataclasses.asdict(self.progress),
                "history": [dataclasses.asdict(metrics) for metrics in self.history],
                "model": self.model.state_dict(),
                "optimizer": self._optimizer.state_dict(),
                "curriculum": self._curriculum.state_dict(),
                "rewind": self._rewind.state_dict(),
                "data_generator": self._batches.get_state(),
                "length_generator": self._length_generator.get_state(),
                "validation_generator": self._validation_generator.get_state(),
                "global_rng": self._random_state.state_dict(),
            },
            path,
        )

    @classmethod
    def load(
        cls,
        path: AnyPath,
        device: str | None = None,
        *,
        cell: str | None = None,
        task: str | None = None,
    ) -> "Trainer":
        """Resume from a checkpoint as if the training had never stopped.

        Args:
            path: what was passed to :meth:`save`.
            device: device to continue on; None is the one in the checkpoint's config.
            cell: the name of a user's own cell, see :func:`copytask.load_model`. None loads only
                the models in ``copytask.MODELS``.
            task: likewise, the name of a user's own task.

        Raises:
            FileNotFoundError: there is no checkpoint at ``path``.
            OSError: the checkpoint cannot be read now.
            ValueError: the checkpoint is damaged, or holds another cell than ``cell``.
        """
        state = load_state(path)
        recorded_factory(state, path, cell)
        check_recorded_task(state, path, task)
        named = {"model": cell, "task": task}  # files of a user may have moved
        with damage_as_value_error(path):
            values = {**state["config"], **{k: name for k, name in named.items() if name}}
            config = TrainingConfig.from_recorded(values)
        trainer = cls(config if device is None else dataclasses.replace(config, device=device))
        with damage_as_value_error(path):
            trainer._restore(state)
        return trainer

    def _restore(self, state: dict[str, Any]) -> None:
        """Restore what :meth:`save` wrote."""
        self.progress = Progress(**state["progress"])
        self.history = [Metrics(**values) for values in state.get("history", ())]
        self.model.load_state_dict(state["model"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._curriculum.load_state_dict(state.get("curriculum", {}))
        self._rewind.load_state_dict(state.get("rewind", {}))
        self._batches.set_state(state["data_generator"])
        self._length_generator.set_state(state["length_generator"])
        if "validation_generator" in state:
            self._validation_generator.set_state(state["validation_generator"])
        # else an earlier version used the same payloads each time: from now on they are fresh
        self._random_state.load_state_dict(state["global_rng"])

    def _train_step(self) -> torch.Tensor:
        """Make one optimizer step; return its loss, which is still on the device."""
        config, progress, curriculum = self.config, self.progress, self._curriculum
        beyond = progress.owed_tokens > 0
        sample = curriculum.sample_beyond if beyond else curriculum.sample_length
        length = sample(progress.step, self._length_generator)
        batch = self._batches.next(progress.step, length)
        logits = self.model(batch.tokens, recalled=len(batch.targets))
        loss = self._task.loss(logits, batch.targets)
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        for group in self._optimizer.param_groups:
            group["lr"] = self._learning_rate() * group.get("lr_scale", 1.0)
        if config.clip_norm > 0:
            norm = torch.nn.utils.clip_grad_norm_(self._parameters, config.clip_norm)
            self._step_unless(~norm.isfinite())
        else:
            self._optimizer.step()
        right = self._task.right(logits.detach(), batch.targets)
        curriculum.observe(length, right.float().mean())
        tokens = batch.tokens.numel()
        if self._decay() < 1:
            progress.owed_tokens += config.beyond_share * tokens - beyond * tokens
        progress.step += 1
        progress.tokens += tokens
        return loss.detach()

    def _step_unless(self, broken: torch.Tensor) -> None:
        """Make an optimizer step unless the gradient cannot be clipped: it would ruin all weights.

        Args:
            broken: a bool on the device, shape ().
        """
        if self._optimizer.defaults.get("fused"):
            # As torch.amp.GradScaler does: a fused optimizer checks this itself, on the device, so
            # the CPU does not wait.
            self._optimizer.found_inf = broken.float()  # type: ignore[attr-defined]
            self._optimizer.step()
        elif not broken:
            self._optimizer.step()

    def _spent(self) -> float:
        """The share of the budget that is spent: of the tokens or of the steps, the larger one."""
        config, progress = self.config, self.progress
        steps = progress.step / config.max_steps if config.max_steps > 0 else 0.0
        return max(progress.tokens / config.max_tokens, steps)

    def _decay(self) -> float:
        """The factor of the learning rate: 1, then linear to 0 over the last ``decay_share``."""
        share = self.config.decay_share
        return min(1.0, max(0.0, 1 - self._spent()) / share) if share > 0 else 1.0

    def _learning_rate(self) -> float:
        return self.config.learning_rate * self._decay() * self._rewind.rate
