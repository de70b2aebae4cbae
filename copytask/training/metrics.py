"""What a training reports after each iteration, and how far it is."""

from dataclasses import dataclass

SOLVED_ACCURACY = 0.99
"""A model solves T when its validation accuracy at T reaches this at two evaluations in a row."""


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
        tokens_at_first_hit: ``tokens`` when an evaluation first reached SOLVED_ACCURACY; None if
            the last evaluation did not reach it.
        seconds_at_first_hit: ``seconds`` then.
        solved: whether T is solved.
        owed_tokens: tokens that are still to be trained at lengths beyond the curriculum's.
    """

    iteration: int = 0
    step: int = 0
    tokens: int = 0
    seconds: float = 0.0
    tokens_at_first_hit: int | None = None
    seconds_at_first_hit: float | None = None
    solved: bool = False
    owed_tokens: float = 0.0

    def note_accuracy(self, accuracy: float) -> None:
        """Take note of an evaluation: two at SOLVED_ACCURACY in a row solve T, at the first one."""
        if self.solved:
            return
        if accuracy < SOLVED_ACCURACY:
            self.tokens_at_first_hit = self.seconds_at_first_hit = None
        elif self.tokens_at_first_hit is None:
            self.tokens_at_first_hit = self.tokens
            self.seconds_at_first_hit = self.seconds
        else:
            self.solved = True
