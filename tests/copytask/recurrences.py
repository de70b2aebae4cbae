"""Random recurrences, and all that can be compared of them."""

import torch

from copytask.recurrence import GATES, Operands


def make_operands(
    cell: str, multiplicative: bool, rows: int, B: int, H: int, seed: int = 0, dtype=torch.float32
) -> Operands:
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> torch.Tensor:
        values = torch.randn(shape, generator=generator, dtype=dtype)
        return (values / shape[-1] ** 0.5).requires_grad_()

    G = GATES[cell]
    return Operands(
        inputs=normal(rows, G * H),
        factors=normal(rows, H) if multiplicative else None,
        weight_hh=normal(G * H, H),
        weight_mh=normal(H, H) if multiplicative else None,
        bias=normal(H) if cell == "gru" else None,
        h=normal(B, H),
        c=normal(B, H) if cell == "lstm" else None,
    )


def make_tokens(rows: int, L: int, B: int) -> torch.Tensor:
    return torch.randint(rows, (L, B), generator=torch.Generator().manual_seed(1))


def values_and_gradients(run, cell, operands, index, recalled):
    """Outputs, states, and the gradients of a loss that depends on all of them."""
    outputs, (h, c) = run(cell, operands, index, recalled)
    results = [outputs, h] if c is None else [outputs, h, c]
    loss = sum((result * (i + 1)).sin().sum() for i, result in enumerate(results))
    gradients = torch.autograd.grad(loss, [t for t in operands if t is not None])
    return [*results, *gradients]
