"""Trains one model, one iteration of a fixed number of tokens at a time."""

import dataclasses
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional as F

from copytask.models import build_model
from copytask.tasks import CHANCE_CROSS_ENTROPY, TASKS, Batch
from copytask.training.checkpoint import (
    AnyPath,
    damage_told,
    load_state,
    recorded_factory,
    save_state,
)
from copytask.training.config import OPTIMIZERS, TrainingConfig
from copytask.training.curriculum import CURRICULA
from copytask.training.evaluation import evaluate_ladder
from copytask.training.precision import fastest_precision, matmul_precision
from copytask.training.process import configure_process
from copytask.training.seeds import Purpose, make_generator, stream_seed

SOLVED_ACCURACY = 0.99
"""A model solves T when its validation accuracy at T is at least this twice in a row."""

DIVERGED_LOSS = 10 * CHANCE_CROSS_ENTROPY
"""Mean training loss, in nats a symbol, above which a run has diverged."""

CUDA_STATE_BYTES = 16
"""Size of the state of a generator on a GPU; that of one on the CPU has thousands."""


class DivergedError(RuntimeError):
    """Training went wrong for good: the loss is not finite or far above chance."""


@dataclass(frozen=True)
class Metrics:
    """What one training iteration reports.

    ``tokens`` counts batch x length of every training step so far, ``seconds`` the wall time
    of the iterations so far, evaluation included. ``tokens_to_solve`` and
    ``seconds_to_solve`` are None until T is solved. ``training_loss`` and
    ``validation_loss`` are nats a symbol; the scores are explained in
    :class:`copytask.Evaluation`.
    """

    iteration: int
    step: int
    tokens: int
    seconds: float
    learning_rate: float
    max_length: int
    training_loss: float
    validation_accuracy: float
    ladder_accuracy: float
    exact_match: float
    validation_loss: float
    recalled_bits: float
    tokens_to_solve: int | None
    seconds_to_solve: float | None


@dataclass
class Progress:
    """The counters of a run; with weights, optimizer and generators its whole state."""

    iteration: int = 0
    step: int = 0
    tokens: int = 0
    seconds: float = 0.0
    tokens_at_first_hit: int | None = None
    seconds_at_first_hit: float | None = None
    solved: bool = False
    owed_tokens: float = 0.0  # to lengths beyond the curriculum's


class Trainer:
    """Trains the model of a :class:`TrainingConfig`.

    Iterating yields the :class:`Metrics` of each iteration until the run is finished::

        for metrics in Trainer(TrainingConfig(model="gru", T=100)):
            print(metrics.tokens, metrics.validation_accuracy)

    Two trainers with the same config give bit-identical results on the same machine, also
    when one of them was saved and loaded on the way; but the precision ``auto`` stands for is
    measured, so name one where that must not be left to the clock. Flushes denormals to zero
    in this process, see :mod:`copytask.training.process`.

    Attributes:
        history: the metrics of every iteration so far; a part of each checkpoint.
    """

    def __init__(self, config: TrainingConfig):
        configure_process()
        self.device = config.resolve_device()
        self.progress = Progress()
        self.history: list[Metrics] = []
        self._task = TASKS[config.task]
        self._curriculum = CURRICULA[config.curriculum](config)
        self._data_generator = make_generator(config.seed, Purpose.TRAINING)
        self._fixed_payloads: torch.Tensor | None = None  # (S at T, training_payloads)
        if config.training_payloads > 0:
            fixed = self._task.sample_batch(
                self._data_generator, config.training_payloads, config.T, self.device
            )
            self._fixed_payloads = fixed.targets
        self._length_generator = make_generator(config.seed, Purpose.LENGTHS)
        # Each evaluation takes the next part of one stream: payloads that are new to the run, and
        # the same for every run with this validation seed at the same iteration.
        self._validation_generator = make_generator(config.validation_seed, Purpose.VALIDATION)
        # torch's global generator initializes weights and feeds a cell's dropout. Each
        # trainer keeps a state of its own, so that trainers do not disturb one another.
        with self._fork_global_rng():
            torch.manual_seed(stream_seed(config.seed, Purpose.MODEL))
            self.model = build_model(
                config.model,
                config.hidden_size,
                forget_bias=config.forget_bias,
                initialization=config.initialization,
                implementation=config.implementation,
            ).to(self.device)
            self._global_rng = self._global_rng_state()
        if config.precision == "auto":  # kept in checkpoints: a run does not change it on its way
            precision = fastest_precision(self.model, config.batch_size)
            config = dataclasses.replace(config, precision=precision)
        self.config = config
        self._parameters = [p for p in self.model.parameters() if p.requires_grad]
        self._optimizer = OPTIMIZERS[config.optimizer](
            self._parameters, lr=config.learning_rate, weight_decay=config.weight_decay
        )

    @property
    def finished(self) -> bool:
        """Whether the budget is spent, or T is solved and the config stops there."""
        solved = self.progress.solved and self.config.stop_when_solved
        return solved or self._spent() >= 1

    def __iter__(self) -> Iterator[Metrics]:
        while not self.finished:
            yield self.run_iteration()

    def run_iteration(self) -> Metrics:
        """Train for ``tokens_per_iteration`` tokens, then evaluate.

        Raises:
            DivergedError: the loss is not finite or above ``DIVERGED_LOSS``.
        """
        start = time.perf_counter()
        progress = self.progress
        target = (progress.iteration + 1) * self.config.tokens_per_iteration
        total_loss = torch.zeros((), device=self.device)
        first_step = progress.step
        with self._own_global_rng(), matmul_precision(self.config.precision):
            # At least one step, also when a batch has more tokens than an iteration.
            while progress.step == first_step or (progress.tokens < target and self._spent() < 1):
                total_loss += self._train_step()
            loss = float(total_loss) / (progress.step - first_step)
            if not loss <= DIVERGED_LOSS:
                raise DivergedError(
                    f"training diverged: mean loss {loss:.3g} nats a symbol over iteration "
                    f"{progress.iteration + 1} (chance is {CHANCE_CROSS_ENTROPY:.2f})"
                )
            scores = evaluate_ladder(
                self.model,
                self.config.task,
                self.config.T,
                payloads=self.config.validation_payloads,
                generator=self._validation_generator,
            )
        progress.iteration += 1
        progress.seconds += time.perf_counter() - start
        at_T = scores[self.config.T]
        self._note_accuracy(at_T.accuracy)
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
        return metrics

    def save(self, path: AnyPath) -> None:
        """Write a checkpoint, the whole state of the run, into the folder ``path``."""
        save_state(
            {
                "config": self.config.to_dict(),
                "progress": dataclasses.asdict(self.progress),
                "history": [dataclasses.asdict(metrics) for metrics in self.history],
                "model": self.model.state_dict(),
                "optimizer": self._optimizer.state_dict(),
                "curriculum": self._curriculum.state_dict(),
                "data_generator": self._data_generator.get_state(),
                "length_generator": self._length_generator.get_state(),
                "validation_generator": self._validation_generator.get_state(),
                "global_rng": self._global_rng,
            },
            path,
        )

    @classmethod
    def load(
        cls, path: AnyPath, device: str | None = None, *, cell: str | None = None
    ) -> "Trainer":
        """Go on from a checkpoint as if the run had never stopped.

        Args:
            device: where to go on, if not where it was.
            cell: the name of the model if it is a user's own cell, see
                :func:`copytask.load_model`.
                Without it only the models in ``copytask.MODELS`` are loaded.

        Raises:
            FileNotFoundError: there is no checkpoint at ``path``.
            OSError: it cannot be read now.
            ValueError: it is damaged, or ``cell`` is missing or not the one that it holds.
        """
        state = load_state(path)
        recorded_factory(state, path, cell)
        model = cell or state["config"]["model"]  # a file's place is what the caller says
        with damage_told(path):
            config = TrainingConfig.from_dict({**state["config"], "model": model})
        trainer = cls(config if device is None else dataclasses.replace(config, device=device))
        with damage_told(path):
            trainer._restore(state)
        return trainer

    def _restore(self, state: dict[str, Any]) -> None:
        """Take over what :meth:`save` wrote."""
        self.progress = Progress(**state["progress"])
        self.history = [Metrics(**values) for values in state.get("history", ())]
        self.model.load_state_dict(state["model"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._curriculum.load_state_dict(state.get("curriculum", {}))
        if len(state["data_generator"]) != CUDA_STATE_BYTES:
            self._data_generator.set_state(state["data_generator"])
        # else an earlier version drew on the GPU: batches of a fresh one were not seen yet
        self._length_generator.set_state(state["length_generator"])
        if "validation_generator" in state:
            self._validation_generator.set_state(state["validation_generator"])
        # else an earlier version had the same payloads each time: from here on they are fresh
        self._global_rng = state["global_rng"]
        with self._own_global_rng():
            pass  # it can be set

    def _train_step(self) -> torch.Tensor:
        """One optimizer step; returns its loss, not yet copied from the device."""
        config, progress, curriculum = self.config, self.progress, self._curriculum
        beyond = progress.owed_tokens > 0
        sample = curriculum.sample_beyond if beyond else curriculum.sample_length
        length = sample(progress.step, self._length_generator)
        batch = self._next_batch(length)
        logits = self.model(batch.tokens, recall=len(batch.targets))
        loss = F.cross_entropy(logits.flatten(0, 1), batch.targets.flatten())
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        for group in self._optimizer.param_groups:
            group["lr"] = self._learning_rate()
        if config.clip_norm > 0:
            norm = torch.nn.utils.clip_grad_norm_(self._parameters, config.clip_norm)
            self._step_unless(~norm.isfinite())
        else:
            self._optimizer.step()
        right = logits.detach().argmax(dim=-1) == batch.targets
        curriculum.observe(length, right.float().mean())
        tokens = batch.tokens.numel()
        if self._decay() < 1:
            progress.owed_tokens += config.beyond_share * tokens - beyond * tokens
        progress.step += 1
        progress.tokens += tokens
        return loss.detach()

    def _step_unless(self, overflowed: torch.Tensor) -> None:
        """An optimizer step, unless the gradient overflowed, shape ().

        A gradient that did so on its way through a thousand steps cannot be clipped: it would turn
        every weight into NaN. The next batch is a better guide.
        """
        if self._optimizer.defaults.get("fused"):
            # What torch.amp.GradScaler gives a fused optimizer, which then looks by itself, on the
            # device: nobody waits for it.
            self._optimizer.found_inf = overflowed.float()  # type: ignore[attr-defined]
            self._optimizer.step()
        elif not overflowed:
            self._optimizer.step()

    def _next_batch(self, length: int) -> Batch:
        """A fresh batch, or the next one of the fixed payloads."""
        size = self.config.batch_size
        if self._fixed_payloads is None:
            return self._task.sample_batch(self._data_generator, size, length, self.device)
        n = self.config.training_payloads
        columns = (torch.arange(size, device=self.device) + size * self.progress.step) % n
        S = self._task.payload_length(length)
        return self._task.encode(self._fixed_payloads[:S, columns], length)

    def _spent(self) -> float:
        """The share of the budget, of tokens or of steps, that is spent."""
        config, progress = self.config, self.progress
        steps = progress.step / config.max_steps if config.max_steps > 0 else 0.0
        return max(progress.tokens / config.max_tokens, steps)

    def _decay(self) -> float:
        """1, then linear to 0 over the last ``decay_share`` of the budget."""
        share = self.config.decay_share
        return min(1.0, max(0.0, 1 - self._spent()) / share) if share > 0 else 1.0

    def _learning_rate(self) -> float:
        return self.config.learning_rate * self._decay()

    def _note_accuracy(self, accuracy: float) -> None:
        """Two accuracies in a row at SOLVED_ACCURACY solve T, at the first of them."""
        progress = self.progress
        if progress.solved:
            return
        if accuracy < SOLVED_ACCURACY:
            progress.tokens_at_first_hit = progress.seconds_at_first_hit = None
        elif progress.tokens_at_first_hit is None:
            progress.tokens_at_first_hit = progress.tokens
            progress.seconds_at_first_hit = progress.seconds
        else:
            progress.solved = True

    @contextmanager
    def _own_global_rng(self) -> Iterator[None]:
        """Run with this trainer's state of torch's global generators."""
        with self._fork_global_rng():
            torch.set_rng_state(self._global_rng["cpu"])
            if self._gpus and (states := self._global_rng["cuda"]):
                # Of this trainer's device; an earlier version wrote one of each GPU.
                torch.cuda.set_rng_state(states[min(self._gpus[0], len(states) - 1)], self._gpus[0])
            yield
            self._global_rng = self._global_rng_state()

    def _fork_global_rng(self) -> AbstractContextManager[None]:
        """Undo in the end what happens to torch's global generators, those of the CPU and of this
        trainer's GPU."""
        return torch.random.fork_rng(devices=self._gpus)

    def _global_rng_state(self) -> dict[str, Any]:
        cuda = [torch.cuda.get_rng_state(index) for index in self._gpus]
        return {"cpu": torch.get_rng_state(), "cuda": cuda}

    @property
    def _gpus(self) -> list[int]:
        """The index of this trainer's GPU, if it has one."""
        if self.device.type != "cuda":
            return []
        index = self.device.index
        return [torch.cuda.current_device() if index is None else index]
