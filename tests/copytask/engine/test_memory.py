import torch

from copytask.engine.memory import chunked_memory

L, B, D, V = 70, 2, 6, 3


def test_a_sequence_that_is_only_written_leaves_the_state_that_a_read_one_leaves():
    torch.manual_seed(0)
    inputs = [torch.randn(s, dtype=torch.float64, requires_grad=True)
              for s in ((L, B, D), (L, B, V), (B, D, V))]  # fmt: skip
    weights = torch.randn(B, D, V, dtype=torch.float64)
    found = []
    for reads in (0, L):
        k, v, state = inputs
        y, last = chunked_memory(k.detach()[L - reads :], k, v, state)
        assert y.shape == (reads, B, V)
        found.append((last, *torch.autograd.grad((weights * last).sum(), inputs)))
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other)
