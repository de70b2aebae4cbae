"""Random generators whose streams cannot coincide.

torch's CPU generator uses the low 32 bits of a seed: 29 bits for our seed and 3 for its purpose.
So no two pairs of seed and purpose share a stream. All generators are on the CPU, so that data do
not depend on the device of a model.
"""

from enum import IntEnum

import torch

MAX_SEED = 2**29 - 1
"""The largest seed."""

STREAMS = 2
"""Version of the data that a seed gives; a study records it with each trial. Raise it when a change
makes the same seeds give other data. In version 1 all validations of a trial had the same payloads,
and a trial on a GPU drew its data there."""


class Purpose(IntEnum):
    """What random numbers are for. Streams of different purposes never coincide.

    Attributes:
        MODEL: initial weights and dropout.
        TRAINING: training payloads.
        LENGTHS: training lengths.
        VALIDATION: payloads of the evaluations during training.
        TEST: payloads of the final test.
        CONFIRMATION: payloads of the test of a confirmation.
    """

    MODEL = 0
    TRAINING = 1
    LENGTHS = 2
    VALIDATION = 3
    TEST = 4
    CONFIRMATION = 5


def stream_seed(seed: int, purpose: Purpose) -> int:
    """The torch seed of this seed and purpose; no other pair has it.

    Raises:
        ValueError: ``seed`` is not in 0..MAX_SEED.
    """
    if not 0 <= seed <= MAX_SEED:
        raise ValueError(f"0 <= seed <= {MAX_SEED} must hold, but got seed={seed}")
    return 8 * seed + purpose


def make_generator(seed: int, purpose: Purpose) -> torch.Generator:
    """Make a generator on the CPU, seeded with :func:`stream_seed`."""
    return torch.Generator().manual_seed(stream_seed(seed, purpose))
