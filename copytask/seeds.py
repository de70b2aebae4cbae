"""Random generators whose streams cannot coincide.

torch's CPU generator uses the low 32 bits of a seed. A seed below 2**29 and one of eight
purposes therefore give eight families of streams, no two of them with the same state.
"""

from enum import IntEnum

import torch

MAX_SEED = 2**29 - 1


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


def make_generator(
    seed: int, purpose: Purpose, device: torch.device | str = "cpu"
) -> torch.Generator:
    """A generator on ``device``, seeded with :func:`stream_seed`."""
    return torch.Generator(device).manual_seed(stream_seed(seed, purpose))
