"""Random recurrences, all that can be compared of them, and the engines that compute them."""

import pytest
import torch

from copytask.engine import GATES, Operands, graphs, kernels
from copytask.models import MODELS, RecurrentCell

BUILDS = [build for build in kernels.runnable_builds() if kernels.load(build)]
ENGINES = [*BUILDS, "tensors", "blocks"]
"""The compiled kernels of every instruction set that this processor has; torch's operations; and
these in the blocks of the GPU, which run as they are recorded where there is none."""


def set_engine(engine: str, patch: pytest.MonkeyPatch) -> None:
    """Compute recurrences by one of ENGINES, on the CPU."""
    library = kernels.load(engine) if engine in BUILDS else None
    patch.setattr(kernels, "library", lambda: library)
    if engine == "blocks":
        patch.setattr("copytask.engine.function.tensor_loops", graphs)


def make_operands(
    cell: str,
    multiplicative: bool,
    rows: int | tuple[int, int],
    B: int,
    H: int,
    seed: int = 0,
    dtype=torch.float32,
) -> Operands:
    """Operands for tokens below ``rows``, or for vectors at ``rows`` = (L, B) positions."""
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape: int, scale: float = 1.0) -> torch.Tensor:
        values = torch.randn(shape, generator=generator, dtype=dtype)
        return (scale * values / shape[-1] ** 0.5).requires_grad_()

    G = GATES[cell]
    linear = cell == "orthogonal"  # grows without end, unless the weights are small
    places = (rows,) if isinstance(rows, int) else rows
    return Operands(
        inputs=normal(*places, G * H),
        mx=normal(*places, H) if multiplicative else None,
        weight_hh=normal(G * H, H, scale=0.4 if linear else 1.0),
        weight_mh=normal(H, H) if multiplicative else None,
        bias=None if cell == "lstm" else below_0(normal(H)) if linear else normal(H),
        h=normal(B, H),
        c=normal(B, H) if cell == "lstm" else None,
    )


def below_0(bias: torch.Tensor) -> torch.Tensor:
    """Above 0 the offset of modReLU makes it jump where its input changes its sign."""
    return bias.detach().abs().neg().requires_grad_()


def make_tokens(rows: int, L: int, B: int) -> torch.Tensor:
    return torch.randint(rows, (L, B), generator=torch.Generator().manual_seed(1))


def values_and_gradients(run, cell, operands, index, recalled):
    """Outputs, states, and the gradients of a loss that depends on all of them."""
    outputs, (h, c) = run(cell, operands, index, recalled)
    results = [outputs, h] if c is None else [outputs, h, c]
    loss = sum((result * (i + 1)).sin().sum() for i, result in enumerate(results))
    gradients = torch.autograd.grad(loss, [t for t in operands if t is not None])
    return [*results, *gradients]


CELLS = sorted(
    name for name, factory in MODELS.items()
    if isinstance(factory, type) and issubclass(factory, RecurrentCell) and name != "exprnn"
)  # fmt: skip
"""Names of the gated cells."""
