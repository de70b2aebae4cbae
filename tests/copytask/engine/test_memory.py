import pytest
import torch
from recurrences import BUILDS, assert_near, results_and_gradients

from copytask.engine.fast_weights import memory_by_operations
from copytask.engine.memory import clocked_memory
from copytask.engine.phases import rotate, scanned_phases

L, B, D, V = 70, 2, 6, 3

every_build = pytest.mark.parametrize("build", BUILDS)


def by_operations(f, angles, z0, turn, v, state, last):
    """What clocked_memory computes, by torch's operations."""
    k, z = scanned_phases(f, angles, z0)
    y, memory = memory_by_operations(rotate(k[len(k) - last :], turn), k, v, state)
    return y, memory, z


def clocked_inputs(L: int, B: int, F: int, V: int) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(L + F)
    f = torch.rand(L, B, generator=generator)
    f[::3] = 1.0
    shapes = {"z0": (B, 2 * F), "turn": (2 * F,), "v": (L, B, V), "state": (B, 2 * F, V)}
    drawn = {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}
    return {"f": f, "angles": torch.linspace(0.01, 3.1, F, dtype=torch.float64), **drawn}


@every_build
@pytest.mark.parametrize(
    ("L", "B", "F", "V", "reads"),
    [
        (1, 1, 1, 1, 1),
        (5, 2, 3, 2, 5),
        (64, 1, 16, 16, 0),  # none reads
        (70, 2, 21, 5, 40),  # the first that reads is within a chunk, as the last step is
        (100, 2, 64, 16, 7),
        (97, 3, 40, 17, 97),  # odd numbers of all
    ],
)
def test_the_kernel_equals_the_operations_in_float64_gradients_too(
    L, B, F, V, reads, build, use_engine
):
    use_engine(build)
    inputs = clocked_inputs(L, B, F, V)
    rest = {"angles": inputs.pop("angles"), "last": reads}
    found = results_and_gradients(clocked_memory, inputs, torch.float32, **rest)
    assert_near(found, results_and_gradients(by_operations, inputs, torch.float64, **rest))


@every_build
@pytest.mark.parametrize("part", [1, 32, 45])
def test_the_kernel_reads_a_sequence_in_parts_as_it_reads_it_at_once(part, build, use_engine):
    use_engine(build)
    inputs = clocked_inputs(L, B, 8, V)
    whole = clocked_memory(**inputs, last=L)
    read = []
    for f, v in zip(inputs["f"].split(part), inputs["v"].split(part), strict=True):
        y, state, z = clocked_memory(**{**inputs, "f": f, "v": v}, last=len(f))
        inputs |= {"state": state, "z0": z}
        read.append(y)
    for one, expected in zip((torch.cat(read), state, z), whole, strict=True):
        torch.testing.assert_close(one, expected, rtol=1e-4, atol=1e-4)


@every_build
def test_the_kernel_leaves_its_inputs_as_they_are(build, use_engine):
    use_engine(build)
    inputs = clocked_inputs(L, B, 8, 1)  # of one value, a state has both layouts at once
    before = {name: t.clone() for name, t in inputs.items()}
    for t in inputs.values():
        t.requires_grad_(t.dtype == torch.float32)
    sum(t.sum() for t in clocked_memory(**inputs, last=L)).backward()
    for name, t in inputs.items():
        assert torch.equal(t.detach(), before[name]), name


@every_build
def test_a_sequence_that_overflows_leaves_the_others_alone(build, use_engine):
    use_engine(build)
    inputs = clocked_inputs(L, 2, 21, V)  # 42 numbers do not fill whole registers
    grads = []
    for broken in (False, True):
        v = inputs["v"].clone()
        v[3, 0] = torch.nan if broken else 0.0
        v.requires_grad_()
        y, state, _ = clocked_memory(**{**inputs, "v": v}, last=L)
        weight = torch.ones_like(y)
        weight[5, 0] = torch.nan if broken else 0.0
        ((y * weight).sum() + state[1].sum()).backward()
        grads.append((y[:, 1], state[1], v.grad[:, 1]))
    for alone, beside in zip(*grads, strict=True):
        assert torch.equal(alone, beside)


@pytest.mark.parametrize(
    "change",
    [{"state": torch.zeros(3, 16, V)}, {"z0": torch.zeros(B, 4)}, {"turn": torch.zeros(4)},
     {"f": torch.zeros(L + 1, B)}, {"last": L + 1}],
)  # fmt: skip
def test_what_does_not_fit_together_is_refused(change):
    with pytest.raises(ValueError, match="must have the shapes"):
        clocked_memory(**{**clocked_inputs(L, B, 8, V), "last": L, **change})
