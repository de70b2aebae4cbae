"""Measures how well a model copies, on payloads that it was not trained on."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from copytask.models import CopyModel
from copytask.models.modes import evaluation_mode
from copytask.tasks import Batch, Task, find_task
from copytask.training.seeds import Purpose, make_generator

Z_95 = 1.959963984540054
"""97.5 % quantile of the normal distribution."""

EVALUATION_BATCH = 256
"""Payloads that are drawn at once."""

EVALUATION_FLOATS = 1 << 26
"""Numbers in the largest buffer of what is evaluated at once."""


@dataclass(frozen=True)
class Evaluation:
    """The scores of a model at one length, on payloads of S symbols.

    Attributes:
        accuracy: share of the payload symbols recalled; chance is 1 / outputs of the task.
        accuracy_low: lower end of the accuracy's 95 % interval over payloads.
        accuracy_high: upper end of that interval.
        exact_match: share of the payloads recalled without a mistake.
        cross_entropy: cross-entropy in nats per symbol; chance is ln(outputs).
        recalled_bits: S log2(outputs) minus the cross-entropy of a payload in bits, at least 0: how
            much of the payload the model recalls.
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
    """The 95 % score interval of a share that was observed in n independent trials.

    Source: Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", 1927.
    """
    z2 = Z_95**2
    center = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z_95 / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return max(0.0, center - half), min(1.0, center + half)


def accuracy_interval(shares: Tensor, symbols: int) -> tuple[float, float]:
    """The 95 % interval of the accuracy of which some payloads are a sample.

    It is Wilson's with the effective sample size, but n payloads never show more than n perfect
    ones do, of which the exact interval ends at 0.025^(1/n): of the payloads that the model forgets
    as a whole, n may have met none. So a perfect score has the exact interval, and no other score
    has one that begins above it.

    Args:
        shares: share of right symbols in each payload, shape (payloads,).
        symbols: S, symbols in a payload.

    Source of the exact end: Clopper & Pearson, "The Use of Confidence or Fiducial Limits
    Illustrated in the Case of the Binomial", 1934.
    """
    share = float(shares.mean())
    low, high = wilson_interval(share, effective_sample_size(shares, symbols))
    perfect = 0.025 ** (1 / len(shares))
    low, high = min(low, perfect), max(high, 1 - perfect)
    return (perfect if share == 1 else low), (1 - perfect if share == 0 else high)


def effective_sample_size(shares: Tensor, symbols: int) -> float:
    """The number of independent symbols that would estimate the accuracy as precisely.

    The symbols of one payload are neither independent nor copies of one another. So we choose the n
    for which p (1 - p) / n, the variance of a mean of n independent symbols, equals the variance
    observed between payloads. It is at least the number of payloads, which is exact when all
    symbols of a payload are right or wrong together, and at most the number of all symbols. Where
    the variance cannot be estimated (all symbols right, all wrong, or one payload), it is the
    number of payloads.

    Args:
        shares: share of right symbols in each payload, shape (payloads,).
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
    task: str | Task,
    T: int,
    *,
    payloads: int = 1000,
    seed: int = 0,
    purpose: Purpose = Purpose.TEST,
    generator: torch.Generator | None = None,
) -> Evaluation:
    """Score a model at length T on fresh payloads.

    The same seed and purpose give the same payloads on every device. Payloads of different purposes
    come from separate streams, so a test after a search uses payloads that no trial was chosen on.

    Args:
        model: the model, on any device; each of its modules is left in the mode (training or
            evaluation) it is in.
        task: the task, or its name, see :func:`copytask.find_task`.
        T: the length at which the task is asked.
        payloads: number of payloads.
        seed: seed of the payloads, in 0..``copytask.MAX_SEED``.
        purpose: what the payloads are for.
        generator: draw the payloads from this generator, which is on the CPU, and not from the
            stream of ``seed`` and ``purpose``.

    Returns:
        The scores over all payloads.

    Raises:
        ValueError: T or payloads is below 1, the seed is out of range, or the task is unknown.
    """
    if payloads < 1:
        raise ValueError(f"payloads >= 1 must hold, but got payloads={payloads}")
    asked = find_task(task) if isinstance(task, str) else task
    S = asked.recalled(T)
    generator = generator or make_generator(seed, purpose)
    device = next(model.parameters()).device
    right = []  # number of right symbols of each payload, a tensor for each batch
    nats = torch.zeros((), dtype=torch.float64, device=device)  # cross-entropy, summed
    with evaluation_mode(model):
        for start in range(0, payloads, EVALUATION_BATCH):
            size = min(EVALUATION_BATCH, payloads - start)
            batch = asked.sample_batch(generator, size, T, device)
            for tokens, targets in _parts(batch, model.core.step_floats):
                logits = model(tokens, recalled=S)
                right.append(asked.right(logits, targets).sum(dim=0))
                nats += F.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="sum")
    shares = torch.cat(right).double() / S
    accuracy = float(shares.mean())
    low, high = accuracy_interval(shares, S)
    cross_entropy = float(nats) / (payloads * S)
    bits = S * (math.log2(asked.outputs) - cross_entropy / math.log(2))
    return Evaluation(
        accuracy=accuracy,
        accuracy_low=low,
        accuracy_high=high,
        exact_match=float((shares == 1).double().mean()),
        cross_entropy=cross_entropy,
        recalled_bits=max(0.0, bits),
        payloads=payloads,
    )


def _parts(batch: Batch, step_floats: int) -> Iterator[Batch]:
    """A batch in parts that take at most ``EVALUATION_FLOATS``, at least a sequence each."""
    size = max(1, EVALUATION_FLOATS // (step_floats * len(batch.tokens)))
    for start in range(0, batch.tokens.shape[1], size):
        part = slice(start, start + size)
        yield Batch(batch.tokens[:, part], batch.targets[:, part])


def ladder(T: int) -> list[int]:
    """List the lengths 1, 4, 16, ... below T, and T itself."""
    rungs = []
    length = 1
    while length < T:
        rungs.append(length)
        length *= 4
    return [*rungs, T]


def evaluate_ladder(
    model: CopyModel,
    task: str | Task,
    T: int,
    *,
    payloads: int,
    seed: int = 0,
    purpose: Purpose = Purpose.VALIDATION,
    generator: torch.Generator | None = None,
) -> dict[int, Evaluation]:
    """Score a model at every length of :func:`ladder`, each on fresh payloads.

    The mean of these accuracies is the ladder accuracy. It rises from the first iterations on,
    while the accuracy at T stays at chance for most of a good training.

    Args:
        model: as for :func:`evaluate`, like all other arguments.
        payloads: number of payloads at each length.

    Returns:
        Length -> scores, in ascending order; the last entry is the one at T.

    Raises:
        ValueError: T or payloads is below 1, or the seed is out of range.
    """
    generator = generator or make_generator(seed, purpose)
    return {
        length: evaluate(model, task, length, payloads=payloads, generator=generator)
        for length in ladder(T)
    }
