import pytest
import torch

from copytask.engine.scan import complex_scan, doubling_scan, linear_scan

SIZES = [(1, 1, 1), (7, 3, 16), (50, 2, 21)]


def draw(*shape: int, dtype: torch.dtype) -> torch.Tensor:
    generator = torch.Generator().manual_seed(sum(shape))
    return torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype).requires_grad_()


def outputs_and_gradients(h: torch.Tensor, inputs: tuple[torch.Tensor, ...]) -> list[torch.Tensor]:
    weights = torch.linspace(-1, 1, h.numel(), dtype=h.dtype).view_as(h)
    return [t.double() for t in (h, *torch.autograd.grad((h * weights).sum(), inputs))]


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize(("L", "B", "D"), SIZES)
def test_the_linear_kernel_equals_the_scan_in_float64_gradients_too(L, B, D, shared):
    results = []
    for run, dtype in ((linear_scan, torch.float32), (doubling_scan, torch.float64)):
        a = draw(L, B, 1 if shared else D, dtype=dtype)
        inputs = (a, draw(L, B, D, dtype=dtype), draw(B, D, dtype=dtype))
        results.append(outputs_and_gradients(run(a.tanh(), *inputs[1:]), inputs))
    for found, expected in zip(*results, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("L", "B", "N"), SIZES)
def test_the_complex_kernel_equals_the_recurrence_in_float64_gradients_too(L, B, N):
    results = []
    for dtype in (torch.float32, torch.float64):
        angles = torch.linspace(0.1, 3, N, dtype=dtype)
        a = torch.cat((0.99 * angles.cos(), 0.99 * angles.sin())).requires_grad_()
        inputs = (a, draw(L, B, 2 * N, dtype=dtype), draw(B, 2 * N, dtype=dtype))
        if dtype == torch.float32:
            h = complex_scan(*inputs)
        else:
            factor, x, state = (torch.complex(*t.chunk(2, -1)) for t in inputs)
            states = []
            for step in x:
                state = factor * state + step
                states.append(torch.cat((state.real, state.imag), -1))
            h = torch.stack(states)
            torch.testing.assert_close(complex_scan(*inputs), h)  # in torch's operations
        results.append(outputs_and_gradients(h, inputs))
    for found, expected in zip(*results, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("scan", [linear_scan, complex_scan])
def test_a_state_of_another_batch_is_refused(scan):
    b = torch.zeros(5, 4, 6)
    a = b if scan is linear_scan else torch.ones(6)
    with pytest.raises(ValueError, match=r"h0 \(2, 6\)"):
        scan(a, b, torch.zeros(2, 6))


def test_no_steps_have_no_outputs():
    a, b, h0 = torch.ones(4), torch.zeros(0, 2, 4), torch.ones(2, 4)
    assert complex_scan(a, b, h0).shape == linear_scan(b, b, h0).shape == (0, 2, 4)
