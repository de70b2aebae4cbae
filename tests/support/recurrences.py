"""Random recurrences, all that can be compared of them, and the engines that compute them."""

import pytest
import torch

from copytask.engine import GATES, Operands, builds, graphs, kernels
from copytask.engine.unrolled import LSTMS
from copytask.models import MODELS, RecurrentCell, architecture_keywords
from copytask.models.exprnn import ExpRNN
from copytask.models.gates import FORMS

BUILDS = [build for build in builds.runnable_builds() if builds.load(build)]
ENGINES = [*BUILDS, "tensors", "blocks"]
"""The compiled kernels of every instruction set that this processor has; torch's operations; and
these in the blocks of the GPU, which run as they are recorded where there is none."""

FACTORS = [(False, False), (True, False), (True, True)]
"""Whether there is a multiplicative factor, and whether it is on the side of the input."""


def set_engine(engine: str, patch: pytest.MonkeyPatch) -> None:
    """Compute recurrences by one of ENGINES, on the CPU."""
    library = builds.load(engine) if engine in BUILDS else None
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
    input_gated: bool = False,
) -> Operands:
    """Operands for tokens below ``rows``, or for vectors at ``rows`` = (L, B) positions.

    ``input_gated``: in a multiplicative cell, the factor is on the side of the input.
    """
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape: int, scale: float = 1.0) -> torch.Tensor:
        values = torch.randn(shape, generator=generator, dtype=dtype)
        return (scale * values / shape[-1] ** 0.5).requires_grad_()

    G = GATES[cell]
    linear = cell in ("orthogonal", "goru")  # grows without end, unless the weights are small
    places = (rows,) if isinstance(rows, int) else rows
    return Operands(
        inputs=normal(*places, G * H),
        mx=normal(*places, H) if multiplicative else None,
        weight_hh=normal(G * H, H, scale=0.4 if linear else 1.0),
        weight_mh=normal(H, H) if multiplicative else None,
        bias=None if cell in LSTMS else below_0(normal(H)) if linear else normal(H),
        h=normal(B, H),
        c=normal(B, H) if cell in LSTMS else None,
        weight_im=normal(G * H, H, scale=0.4 if linear else 1.0) if input_gated else None,
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
    if isinstance(factory, type) and issubclass(factory, RecurrentCell)
    and not issubclass(factory, ExpRNN)
)  # fmt: skip
"""Names of the gated cells, without the orthogonal one."""

VARIATIONS = {
    f"{name}-{gates}{'-input_gated' * input_gated}": (
        name,
        {"gates": gates, **({"input_gated": True} if input_gated else {})},
    )
    for name in CELLS
    for gates in FORMS[MODELS[name].cell]
    for input_gated in (False, True)[: 1 + ("input_gated" in architecture_keywords(MODELS[name]))]
    if gates != "plain" or input_gated
}
"""A label -> a gated cell and keywords that vary its gates: all that there are."""


def results_and_gradients(
    run, inputs: dict[str, torch.Tensor], dtype, **rest
) -> list[torch.Tensor]:
    """All that a function returns for inputs of this type, and their gradients, in float64."""
    given = {name: t.to(dtype, copy=True).requires_grad_() for name, t in inputs.items()}
    results = run(**given, **rest)
    loss = sum((torch.linspace(-1, 1, t.numel(), dtype=dtype).view_as(t) * t).sum()
               for t in results if t.numel())  # fmt: skip
    loss.backward()
    gradients = [torch.zeros_like(t) if t.grad is None else t.grad for t in given.values()]
    return [t.double() for t in (*results, *gradients)]


def assert_near(found: list[torch.Tensor], expected: list[torch.Tensor]) -> None:
    """Each equals what is expected, but for the rounding of float32."""
    for one, other in zip(found, expected, strict=True):
        largest = max([1.0, *other.abs().flatten().tolist()])
        torch.testing.assert_close(one, other, rtol=0, atol=1e-5 * largest)
