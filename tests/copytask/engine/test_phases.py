import math

import pytest
import torch

from copytask.engine.phases import clock_phases, scanned_phases


def inputs(L: int, B: int, F: int, dtype: torch.dtype) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(L)
    f = torch.rand(L, B, generator=generator, dtype=torch.float64)
    f[::3] = 1.0
    z0 = torch.randn(B, 2 * F, generator=generator, dtype=torch.float64)
    angles = torch.linspace(0.01, math.pi, F, dtype=torch.float64)
    return f.to(dtype).requires_grad_(), angles, z0.to(dtype).requires_grad_()


@pytest.mark.parametrize(("L", "B", "F"), [(1, 1, 1), (7, 3, 16), (50, 2, 21), (4, 3, 48)])
def test_the_kernel_equals_the_scan_in_float64_gradients_too(L, B, F):
    results = []
    for run, dtype in ((clock_phases, torch.float32), (scanned_phases, torch.float64)):
        f, angles, z0 = inputs(L, B, F, dtype)
        phases, last = run(f, angles, z0)
        weights = torch.linspace(-1, 1, phases.numel(), dtype=dtype).view_as(phases)
        ((phases * weights).sum() + last.square().sum()).backward()
        results.append([t.double() for t in (phases, last, f.grad, z0.grad)])
    for found, expected in zip(*results, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_angles_stay_exact_over_many_steps():
    _, angles, z0 = inputs(1, 1, 8, torch.float32)
    z0 = torch.cat((torch.ones(1, 8), torch.zeros(1, 8)), -1)
    phases, _ = clock_phases(torch.ones(20_000, 1), angles, z0)
    expected = torch.cat(((20_000 * angles).cos(), (20_000 * angles).sin()))
    torch.testing.assert_close(phases[-1, 0].double(), expected, rtol=0, atol=1e-6)


def test_no_steps_leave_the_clock_as_it_is():
    f, angles, z0 = inputs(1, 2, 4, torch.float32)
    phases, last = clock_phases(f[:0], angles, z0)
    assert phases.shape == (0, 2, 8)
    assert torch.equal(last, z0)
