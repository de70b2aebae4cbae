"""Random generators whose streams cannot coincide.

torch's CPU generator uses the low 32 bits of a seed. A seed below 2**29 and one of eight
purposes therefore give eight families of streams, no two of them with the same state. All are on
the CPU, so that data do not depend on the device of a model.
"""

from enum import IntEnum

import torch

MAX_SEED = 2**29 - 1


STREAMS = 2
"""Version of what the streams are used for; a study records it with each trial. Raise it when the
same seeds come to give other data. Until 2, all validations of a trial had the same payloads, and a
trial on a GPU drew its data there."""


class Purpose(IntEnum):
    """What the random numbers are for."""

    MODEL = 0
    TRAINING = 1
    LENGTHS = 2
    VALIDATION = 3
    TEST = 4
    CONFIRMATION = 5


def stream_seed(seed: int, purpose: Purpose) -> int:
    """A torch seed that no other (seed, purpose) has.

    Raises:
        ValueError: ``seed`` is outside 0..MAX_SEED.
    """
    if not 0 <= seed <= MAX_SEED:
        raise ValueError(f"0 <= seed <= {MAX_SEED} must hold, but got seed={seed}")
    return 8 * seed + purpose


def make_generator(seed: int, purpose: Purpose) -> torch.Generator:
    """A generator on the CPU, seeded with :func:`stream_seed`."""
    return torch.Generator().manual_seed(stream_seed(seed, purpose))
