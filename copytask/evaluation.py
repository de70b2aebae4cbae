"""How well a model copies, on payloads that it was not trained on."""

import math
from dataclasses import dataclass

import torch
from torch.nn import functional as F

from copytask.models import CopyModel
from copytask.seeds import Purpose, make_generator
from copytask.tasks import PAYLOAD_SYMBOLS, TASKS

Z_95 = 1.959963984540054
"""97.5 % quantile of the normal distribution."""

EVALUATION_BATCH = 256


@dataclass(frozen=True)
class Evaluation:
    """Scores of a model on ``payloads`` payloads of S symbols at one length.

    Attributes:
        accuracy: share of the symbols recalled; chance is 0.1.
        accuracy_low, accuracy_high: 95 % interval of the accuracy over payloads.
        exact_match: share of whole payloads recalled.
        cross_entropy: nats a symbol; chance is ln 10.
        recalled_bits: S log2(10) minus the payload's cross-entropy in bits, at least 0: how
            much of the message is in the state.
        payloads: number of payloads.
    """

    accuracy: float
    accuracy_low: float
    accuracy_high: float
    exact_match: float
    cross_entropy: float
    recalled_bits: float
    payloads: int


def wilson_interval(share: float, n: int) -> tuple[float, float]:
    """95 % score interval of a mean of n independent values in [0, 1].

    Exact symbols of one payload are not independent, so n counts payloads. The variance of
    a variable in [0, 1] with mean p is at most p (1 - p), that of a Bernoulli variable, for
    which the interval is made: it is conservative here.

    Source: Wilson, "Probable Inference, the Law of Succession, and Statistical Inference",
    1927.
    """
    z2 = Z_95**2
    center = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z_95 / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return max(0.0, center - half), min(1.0, center + half)


@torch.no_grad()
def evaluate(
    model: CopyModel,
    task: str,
    T: int,
    *,
    payloads: int = 1000,
    seed: int = 0,
    purpose: Purpose = Purpose.TEST,
) -> Evaluation:
    """Score a model at length T on fresh payloads.

    The same seed and purpose give the same payloads. Data of different purposes never
    coincide, so a test after a search uses payloads that no trial was chosen on.

    Raises:
        ValueError: T or payloads is below 1, or the seed is out of range.
    """
    if payloads < 1:
        raise ValueError(f"payloads >= 1 must hold, but got payloads={payloads}")
    protocol = TASKS[task]
    S = protocol.payload_length(T)
    generator = make_generator(seed, purpose, next(model.parameters()).device)
    training = model.training
    model.eval()
    right, whole, nats = 0, 0, 0.0
    for start in range(0, payloads, EVALUATION_BATCH):
        size = min(EVALUATION_BATCH, payloads - start)
        batch = protocol.sample_batch(generator, size, T)
        logits = model(batch.tokens, recall=S)
        hits = logits.argmax(dim=-1) == batch.targets
        right += int(hits.sum())
        whole += int(hits.all(dim=0).sum())
        nats += float(
            F.cross_entropy(logits.flatten(0, 1), batch.targets.flatten(), reduction="sum")
        )
    model.train(training)
    accuracy = right / (payloads * S)
    low, high = wilson_interval(accuracy, payloads)
    cross_entropy = nats / (payloads * S)
    bits = S * (math.log2(PAYLOAD_SYMBOLS) - cross_entropy / math.log(2))
    return Evaluation(
        accuracy=accuracy,
        accuracy_low=low,
        accuracy_high=high,
        exact_match=whole / payloads,
        cross_entropy=cross_entropy,
        recalled_bits=max(0.0, bits),
        payloads=payloads,
    )


def ladder(T: int) -> list[int]:
    """The lengths 1, 4, 16, ... below T, and T itself."""
    rungs = []
    length = 1
    while length < T:
        rungs.append(length)
        length *= 4
    return [*rungs, T]


def evaluate_ladder(
    model: CopyModel, task: str, T: int, *, payloads: int, seed: int, purpose: Purpose
) -> dict[int, Evaluation]:
    """Score a model at every length of :func:`ladder`. Its last entry is the one at T.

    The mean of these accuracies, the ladder accuracy, rises from the first iterations on,
    while accuracy at T sits at chance for most of a good run.
    """
    return {
        length: evaluate(model, task, length, payloads=payloads, seed=seed, purpose=purpose)
        for length in ladder(T)
    }
