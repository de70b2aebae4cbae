import pytest
import torch
from recurrences import BUILDS, assert_near, results_and_gradients

from copytask.engine.fast_weights import chunked_memory, memory_by_operations

L, B, D, V = 70, 2, 6, 3

every_build = pytest.mark.parametrize("build", BUILDS)
every_rule = pytest.mark.parametrize("beta", [False, True], ids=["add", "delta"])
every_decay = pytest.mark.parametrize("decay", [False, True], ids=["kept", "decays"])


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


def make_inputs(
    L: int, B: int, D: int, V: int, reads: int, beta: bool, decay: bool
) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(L + D)
    shapes = {"q": (reads, B, D), "k": (L, B, D), "v": (L, B, V), "state": (B, D, V)}
    drawn = {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}
    drawn["k"] = torch.nn.functional.normalize(drawn["k"], dim=-1)
    if beta:
        drawn["beta"] = torch.rand(L, B, generator=generator)
        drawn["beta"][::5] = 0.0  # writes nothing
    if decay:
        drawn["log_decay"] = -torch.rand(L, B, generator=generator).exp()
        drawn["log_decay"][::3] = 0.0
        drawn["log_decay"][1::17] = -60.0  # forgets nearly all
    return drawn


@every_build
@every_rule
@every_decay
@pytest.mark.parametrize(
    ("L", "B", "D", "V", "reads"),
    [
        (1, 1, 1, 1, 1),
        (5, 2, 6, 2, 5),
        (64, 1, 32, 16, 0),  # none reads
        (70, 2, 42, 5, 40),  # the first that reads is within a chunk, as the last step is
        (100, 2, 64, 16, 7),
        (97, 3, 75, 17, 97),  # odd numbers of all
    ],
)
def test_the_kernel_equals_the_operations_in_float64_gradients_too(
    L, B, D, V, reads, beta, decay, build, use_engine
):
    use_engine(build)
    inputs = make_inputs(L, B, D, V, reads, beta, decay)
    found = results_and_gradients(chunked_memory, inputs, torch.float32)
    assert_near(found, results_and_gradients(memory_by_operations, inputs, torch.float64))


@every_build
@every_rule
@every_decay
@pytest.mark.parametrize("part", [1, 32, 45])
def test_the_kernel_reads_a_sequence_in_parts_as_it_reads_it_at_once(
    part, beta, decay, build, use_engine
):
    use_engine(build)
    inputs = make_inputs(L, B, D, V, L, beta, decay)
    whole = chunked_memory(**inputs)
    state = inputs.pop("state")
    read = []
    for given in zip(*(t.split(part) for t in inputs.values()), strict=True):
        y, state = chunked_memory(**dict(zip(inputs, given, strict=True)), state=state)
        read.append(y)
    for one, expected in zip((torch.cat(read), state), whole, strict=True):
        torch.testing.assert_close(one, expected, rtol=1e-4, atol=1e-4)


@every_build
def test_the_kernel_leaves_its_inputs_as_they_are(build, use_engine):
    use_engine(build)
    inputs = make_inputs(L, B, D, 1, L, True, True)  # of one value, a state has both layouts
    before = {name: t.clone() for name, t in inputs.items()}
    for t in inputs.values():
        t.requires_grad_()
    sum(t.sum() for t in chunked_memory(**inputs)).backward()
    for name, t in inputs.items():
        assert torch.equal(t.detach(), before[name]), name


@every_build
@every_rule
@every_decay
def test_a_sequence_that_overflows_leaves_the_others_alone(beta, decay, build, use_engine):
    use_engine(build)
    inputs = make_inputs(L, 2, 42, V, L, beta, decay)  # 42 do not fill whole registers
    grads = []
    for broken in (False, True):
        v = inputs["v"].clone()
        v[3, 0] = torch.nan if broken else 0.0
        v.requires_grad_()
        y, state = chunked_memory(**{**inputs, "v": v})
        weight = torch.ones_like(y)
        weight[5, 0] = torch.nan if broken else 0.0
        ((y * weight).sum() + state[1].sum()).backward()
        grads.append((y[:, 1], state[1], v.grad[:, 1]))
    for alone, beside in zip(*grads, strict=True):
        assert torch.equal(alone, beside)


@pytest.mark.parametrize(
    "change",
    [{"q": torch.zeros(L + 1, B, D)}, {"q": torch.zeros(L, B, D + 1)}, {"v": torch.zeros(L, 1, V)},
     {"state": torch.zeros(B, V, D)}, {"beta": torch.zeros(L, 1)}, {"log_decay": torch.zeros(L)}],
)  # fmt: skip
def test_what_does_not_fit_together_is_refused(change):
    with pytest.raises(ValueError, match="must have the shapes"):
        chunked_memory(**{**make_inputs(L, B, D, V, L, True, True), **change})
