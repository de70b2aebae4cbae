"""Attention as the transformer calls it."""

import pytest
import torch

from copytask.models import transformer
from copytask.models.transformer import attend

L, B, HEADS, SIZE = 7, 2, 3, 5


@pytest.mark.parametrize("mask_elements", [0, transformer.MASK_ELEMENTS])
@pytest.mark.parametrize("S", [0, 3, L])
def test_heads_that_a_gpu_fills_up_attend_as_they_are(S, mask_elements, monkeypatch):
    monkeypatch.setattr(transformer, "MASK_ELEMENTS", mask_elements)
    torch.manual_seed(0)
    q, k, v = (
        torch.randn(steps, B, HEADS, SIZE, dtype=torch.float64, requires_grad=True)
        for steps in (S, L, L)
    )
    weights = torch.randn(S, B, HEADS * SIZE, dtype=torch.float64)
    seen, found = [], []
    attention = torch.nn.functional.scaled_dot_product_attention

    def watched(q, k, v, **settings):
        seen.append({t.shape[-1] for t in (q, k, v)})
        return attention(q, k, v, **settings)

    monkeypatch.setattr("torch.nn.functional.scaled_dot_product_attention", watched)
    for multiple in (1, 4):
        monkeypatch.setitem(transformer.WHOLE_VECTORS, "cpu", multiple)
        y = attend(q, k, v, 0.7)
        assert y.shape == (S, B, HEADS * SIZE)
        found.append((y, *torch.autograd.grad((weights * y).sum(), (q, k, v))))
    assert seen == [{5}, {8}]
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("mask_elements", [0, transformer.MASK_ELEMENTS])
def test_heads_of_any_size_attend_in_the_memory_efficient_form_on_a_gpu(mask_elements, monkeypatch):
    monkeypatch.setattr(transformer, "MASK_ELEMENTS", mask_elements)
    q, k, v = (torch.randn(L, B, HEADS, SIZE, device="cuda") for _ in range(3))
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.EFFICIENT_ATTENTION):
        assert attend(q, k, v, 0.7).isfinite().all()
