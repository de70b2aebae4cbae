"""What a training reports after each iteration, and how far it is."""

import math
from dataclasses import dataclass

SOLVED_ACCURACY = 0.99
"""A model that recalls this share of the payload symbols at T solves T."""

Z_ONE_SIDED_95 = 1.6449
"""Standard deviations below which a normal variable lies with a probability of 95 %."""


def solving_accuracy(symbols: int) -> float:
    """The accuracy on so many symbols that shows, at 95 %, that a model solves T; at most 1.

    It lies above ``SOLVED_ACCURACY`` by the sampling error that an accuracy of ``SOLVED_ACCURACY``
    has on independent symbols, one-sided: by 0.0026 on 4,000 symbols. A training passes many
    evaluations; without this margin it would end at the first one that is lucky.
    """
    error = math.sqrt(SOLVED_ACCURACY * (1 - SOLVED_ACCURACY) / symbols)
    return min(1.0, SOLVED_ACCURACY + Z_ONE_SIDED_95 * error)


@dataclass(frozen=True)
class Metrics:
    """What one training iteration reports.

    Attributes:
        iteration: number of the iteration, from 1.
        step: optimizer steps so far.
        tokens: tokens so far, batch x length of every training step.
        seconds: wall time of the iterations so far, evaluations included.
        learning_rate: learning rate at the end of the iteration.
        max_length: largest training length that the curriculum allows so far.
        training_loss: mean cross-entropy of the iteration's training batches, in nats per symbol.
        validation_accuracy: share of the payload symbols recalled at T.
        ladder_accuracy: mean accuracy over the lengths 1, 4, 16, ... up to and including T.
        exact_match: share of the payloads recalled at T without a mistake.
        validation_loss: cross-entropy at T, in nats per symbol.
        recalled_bits: bits of a payload recalled at T, see :class:`copytask.Evaluation`.
        tokens_to_solve: tokens at the first of the two evaluations that solved T; None before.
        seconds_to_solve: seconds at that evaluation; None before.
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
    """The counters of a training. With weights, optimizer and generators they are its whole state.

    Attributes:
        iteration: iterations so far.
        step: optimizer steps so far.
        tokens: tokens so far.
        seconds: wall time of the iterations so far.
        tokens_at_first_hit: ``tokens`` at the first of the two evaluations that solved T. Before,
            at the last evaluation; None if that did not reach SOLVED_ACCURACY.
        seconds_at_first_hit: ``seconds`` then.
        accuracy_at_first_hit: the accuracy then.
        solved: whether T is solved.
        owed_tokens: tokens that are still to be trained at lengths beyond the curriculum's.
    """

    iteration: int = 0
    step: int = 0
    tokens: int = 0
    seconds: float = 0.0
    tokens_at_first_hit: int | None = None
    seconds_at_first_hit: float | None = None
    accuracy_at_first_hit: float = SOLVED_ACCURACY  # unknown in the checkpoints of earlier versions
    solved: bool = False
    owed_tokens: float = 0.0

    def note_accuracy(self, accuracy: float, symbols: int) -> None:
        """Take note of an evaluation at T.

        T is solved, at the first of them, by two evaluations in a row which both reach
        ``SOLVED_ACCURACY`` and together :func:`solving_accuracy`.

        Args:
            accuracy: share of the payload symbols recalled.
            symbols: how many symbols were asked.
        """
        if self.solved:
            return
        reached = accuracy >= SOLVED_ACCURACY
        if reached and self.tokens_at_first_hit is not None:
            mean = (self.accuracy_at_first_hit + accuracy) / 2
            self.solved = mean >= solving_accuracy(2 * symbols)
        if not self.solved:
            self.tokens_at_first_hit = self.tokens if reached else None
            self.seconds_at_first_hit = self.seconds if reached else None
            self.accuracy_at_first_hit = accuracy
