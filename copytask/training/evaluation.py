"""How well a model copies, on payloads that it was not trained on."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from copytask.models import CopyModel
from copytask.tasks import PAYLOAD_SYMBOLS, TASKS
from copytask.training.seeds import Purpose, make_generator

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


def wilson_interval(share: float, n: float) -> tuple[float, float]:
    """95 % score interval of a share that was observed in n independent trials.

    Source: Wilson, "Probable Inference, the Law of Succession, and Statistical Inference",
    1927.
    """
    z2 = Z_95**2
    center = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z_95 / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return max(0.0, center - half), min(1.0, center + half)


def effective_sample_size(shares: Tensor, symbols: int) -> float:
    """How many independent symbols would tell the accuracy as exactly as these payloads do.

    The symbols of a payload are neither independent nor copies of one another, so it is the n
    for which p (1 - p) / n, the variance of a mean of n independent symbols, is the variance
    that the payloads themselves show. It is at least the number of payloads, which is right
    when all symbols of a payload are right or wrong together, and at most that of all symbols.
    Where the variance cannot be told, because all are right, all are wrong, or there is one
    payload, it is the number of payloads.

    Args:
        shares: of right symbols in each payload, shape (payloads,).
        symbols: S, symbols in a payload.

    Source: Korn & Graubard, "Confidence Intervals for Proportions With Small Expected Number of
    Positive Counts Estimated From Survey Data", 1998. Wilson's interval with it is what Franco,
    Little, Louis & Slud, "Comparative Study of Confidence Intervals for Proportions in Complex
    Sample Surveys", 2019, recommend.
    """
    n = len(shares)
    p = float(shares.mean())
    if n == 1 or p in (0.0, 1.0):
        return n
    variance = float(shares.var()) / n
    return max(n, p * (1 - p) / max(variance, p * (1 - p) / (n * symbols)))


@torch.no_grad()
def evaluate(
    model: CopyModel,
    task: str,
    T: int,
    *,
    payloads: int = 1000,
    seed: int = 0,
    purpose: Purpose = Purpose.TEST,
    generator: torch.Generator | None = None,
) -> Evaluation:
    """Score a model at length T on fresh payloads.

    The same seed and purpose give the same payloads, on every device. Data of different purposes
    never coincide, so a test after a search uses payloads that no trial was chosen on.

    Args:
        payloads: number of payloads.
        generator: on the CPU; the payloads are the next of its stream, in place of the first of
            the stream of ``seed`` and ``purpose``.

    Raises:
        ValueError: T or payloads is below 1, or the seed is out of range.
    """
    if payloads < 1:
        raise ValueError(f"payloads >= 1 must hold, but got payloads={payloads}")
    protocol = TASKS[task]
    S = protocol.payload_length(T)
    generator = generator or make_generator(seed, purpose)
    device = next(model.parameters()).device
    training = model.training
    model.eval()
    right = []  # right symbols of each payload
    nats = torch.zeros((), dtype=torch.float64, device=device)  # cross-entropy of all symbols
    for start in range(0, payloads, EVALUATION_BATCH):
        size = min(EVALUATION_BATCH, payloads - start)
        batch = protocol.sample_batch(generator, size, T, device)
        logits = model(batch.tokens, recall=S)
        right.append((logits.argmax(dim=-1) == batch.targets).sum(dim=0))
        nats += F.cross_entropy(logits.flatten(0, 1), batch.targets.flatten(), reduction="sum")
    model.train(training)
    shares = torch.cat(right).double() / S
    accuracy = float(shares.mean())
    low, high = wilson_interval(accuracy, effective_sample_size(shares, S))
    cross_entropy = float(nats) / (payloads * S)
    bits = S * (math.log2(PAYLOAD_SYMBOLS) - cross_entropy / math.log(2))
    return Evaluation(
        accuracy=accuracy,
        accuracy_low=low,
        accuracy_high=high,
        exact_match=float((shares == 1).double().mean()),
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
    model: CopyModel,
    task: str,
    T: int,
    *,
    payloads: int,
    seed: int = 0,
    purpose: Purpose = Purpose.VALIDATION,
    generator: torch.Generator | None = None,
) -> dict[int, Evaluation]:
    """Score a model at every length of :func:`ladder`. Its last entry is the one at T.

    No payload is drawn for two lengths. Arguments as of :func:`evaluate`.

    The mean of these accuracies, the ladder accuracy, rises from the first iterations on,
    while accuracy at T sits at chance for most of a good run.
    """
    generator = generator or make_generator(seed, purpose)
    return {
        length: evaluate(model, task, length, payloads=payloads, generator=generator)
        for length in ladder(T)
    }
