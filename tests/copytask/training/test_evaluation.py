import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from copytask import TASKS, Purpose, build_model, evaluate, evaluate_ladder, ladder
from copytask.models import CellAdapter, CopyModel
from copytask.training.evaluation import accuracy_interval, effective_sample_size, wilson_interval
from copytask.training.seeds import make_generator


class Oracle(CopyModel):
    """Answers from the payload that it saw, or with uniform logits."""

    def __init__(self, sharpness: float):
        super().__init__(CellAdapter(nn.GRU(12, 1), 12, 1), 10)
        self.sharpness = sharpness

    def forward(self, tokens, recalled=None):
        return self.sharpness * self.core.one_hot[tokens[:recalled]][..., :10]


@pytest.mark.parametrize("task", ["delay", "sequence"])
def test_a_perfect_model_recalls_everything(task):
    scores = evaluate(Oracle(100.0), task, 12, payloads=20)
    S = TASKS[task].recalled(12)
    assert scores.accuracy == scores.exact_match == 1.0
    assert scores.recalled_bits == pytest.approx(S * math.log2(10))
    assert scores.accuracy_high == 1.0
    assert 0.8 < scores.accuracy_low < 1.0


def test_a_uniform_guess_costs_ln_10_and_recalls_nothing():
    scores = evaluate(Oracle(0.0), "delay", 5, payloads=400)
    assert scores.cross_entropy == pytest.approx(math.log(10))
    assert scores.recalled_bits == pytest.approx(0.0, abs=1e-4)
    assert scores.accuracy == pytest.approx(0.1, abs=0.03)


def test_the_same_seed_gives_the_same_scores_and_other_data_others():
    torch.manual_seed(0)
    model = build_model("gru", 4)
    one = evaluate(model, "delay", 3, payloads=50, seed=1)
    assert one == evaluate(model, "delay", 3, payloads=50, seed=1)
    assert one != evaluate(model, "delay", 3, payloads=50, seed=2)
    assert one != evaluate(model, "delay", 3, payloads=50, seed=1, purpose=Purpose.VALIDATION)


def test_evaluation_leaves_the_mode_as_it_was():
    model = build_model("gru", 4)
    evaluate(model, "delay", 3, payloads=2)
    assert model.training
    evaluate(model.eval(), "delay", 3, payloads=2)
    assert not model.training


def test_an_evaluation_that_fails_leaves_the_mode_as_it_was():
    def fail(*_):
        raise MemoryError

    model = build_model("gru", 4)
    model.register_forward_hook(fail)
    with pytest.raises(MemoryError):
        evaluate(model, "delay", 3, payloads=2)
    assert model.training


@pytest.mark.parametrize(
    ("T", "rungs"),
    [(1, [1]), (4, [1, 4]), (100, [1, 4, 16, 64, 100]), (1000, [1, 4, 16, 64, 256, 1000])],
)
def test_the_ladder_is_geometric_and_ends_at_T(T, rungs):
    assert ladder(T) == rungs
    model = build_model("gru", 4)
    scores = evaluate_ladder(model, "delay", T, payloads=2, seed=0, purpose=Purpose.VALIDATION)
    assert list(scores) == rungs


def test_payloads_of_a_generator_are_the_next_of_its_stream():
    model = build_model("gru", 4)
    found = []
    model.register_forward_hook(lambda model, inputs, output: found.append(inputs[0][:10]))
    generator = make_generator(3, Purpose.VALIDATION)
    for _ in range(2):
        evaluate_ladder(model, "delay", 4, payloads=300, generator=generator)
    evaluate(model, "delay", 4, payloads=5, seed=3, purpose=Purpose.VALIDATION)
    *drawn, again = found  # of two evaluations, at two lengths each, in batches of 256 and 44
    assert [tokens.shape[1] for tokens in drawn] == [256, 44] * 4
    payloads = torch.cat(drawn, dim=1).T.tolist()
    assert len(set(map(tuple, payloads))) == 1200
    first = TASKS["delay"].sample_batch(make_generator(3, Purpose.VALIDATION), 5, 4)
    assert again.equal(first.targets)


@given(share=st.floats(0, 1), n=st.integers(1, 10_000))
def test_wilson_interval_holds_the_share_and_shrinks(share, n):
    low, high = wilson_interval(share, n)
    assert 0 <= low <= share + 1e-12
    assert share - 1e-12 <= high <= 1
    wider = wilson_interval(share, max(1, n // 4))
    assert high - low <= wider[1] - wider[0] + 1e-12


def test_wilson_interval_of_a_known_case():
    # statsmodels.stats.proportion.proportion_confint(8, 10, method="wilson")
    assert wilson_interval(0.8, 10) == pytest.approx((0.490162, 0.943318), abs=1e-6)


def independent(payloads, symbols, share, generator):
    return torch.rand(payloads, symbols, generator=generator) < share


def first_ones_only(payloads, symbols, share, generator):
    positions = torch.where(torch.arange(symbols) < share * symbols, 0.95, 0.1)
    return torch.rand(payloads, symbols, generator=generator) < positions


def some_payloads_are_harder(payloads, symbols, share, generator):
    difficulty = torch.rand(payloads, 1, generator=generator) * 2 * share
    return torch.rand(payloads, symbols, generator=generator) < difficulty


def all_or_nothing(payloads, symbols, share, generator):
    return independent(payloads, 1, share, generator).expand(-1, symbols)


@pytest.mark.parametrize("symbols", [10, 200])
@pytest.mark.parametrize("share", [0.12, 0.4])
@pytest.mark.parametrize(
    "draw", [independent, first_ones_only, some_payloads_are_harder, all_or_nothing]
)
def test_the_interval_holds_the_true_accuracy_about_95_times_in_100(draw, share, symbols):
    generator = torch.Generator().manual_seed(0)
    truth = float(draw(40_000, symbols, share, generator).double().mean())
    held, widths = 0, 0.0
    for _ in range(800):
        shares = draw(150, symbols, share, generator).double().mean(dim=1)
        low, high = accuracy_interval(shares, symbols)
        held += low <= truth <= high
        widths += high - low
    assert held / 800 >= 0.92
    low, high = wilson_interval(truth, 150)
    if draw is all_or_nothing:
        assert widths / 800 == pytest.approx(high - low, rel=0.1)
    else:
        assert widths / 800 < 0.75 * (high - low)


def with_mistakes(payloads, *shares):
    """Payloads of which all but the first few are recalled without a mistake."""
    return torch.tensor([*shares, *[1.0] * (payloads - len(shares))], dtype=torch.float64)


def test_a_perfect_score_has_the_exact_interval():
    assert accuracy_interval(with_mistakes(200), 10) == (pytest.approx(0.98173, abs=1e-5), 1)
    assert accuracy_interval(1 - with_mistakes(200), 10) == (0, pytest.approx(0.01827, abs=1e-5))


@pytest.mark.parametrize("mistakes", [(0.9,), (0.0,), (0.9, 0.9, 0.8)])
def test_no_score_has_an_interval_that_begins_above_that_of_a_perfect_one(mistakes):
    low, high = accuracy_interval(with_mistakes(200, *mistakes), 10)
    assert low <= accuracy_interval(with_mistakes(200), 10)[0]
    assert high < 1


def test_the_interval_holds_where_a_payload_in_200_is_forgotten_as_a_whole():
    generator = torch.Generator().manual_seed(0)
    held = 0
    for _ in range(800):
        forgotten = torch.rand(200, 1, generator=generator) < 1 / 200
        right = torch.rand(200, 10, generator=generator) < torch.where(forgotten, 0.1, 0.9995)
        low, high = accuracy_interval(right.double().mean(dim=1), 10)
        held += low <= 0.9995 - 0.8995 / 200 <= high
    assert 0.95 <= held / 800 <= 1


@given(right=st.lists(st.integers(0, 7), min_size=1, max_size=40))
def test_payloads_are_worth_between_one_symbol_and_all_of_theirs(right):
    shares = torch.tensor(right, dtype=torch.float64) / 7
    n = effective_sample_size(shares, 7)
    assert len(right) <= n <= 7 * len(right) * (1 + 1e-9)
    if set(right) in ({0}, {7}):
        assert n == len(right)


def test_the_interval_of_a_long_payload_counts_its_symbols():
    scores = evaluate(Oracle(0.0), "sequence", 200, payloads=100)
    assert scores.accuracy_low <= 0.1 <= scores.accuracy_high
    assert scores.accuracy_high - scores.accuracy_low < 0.02  # 0.12 if only payloads counted


def test_no_payloads_are_refused():
    with pytest.raises(ValueError, match="payloads >= 1"):
        evaluate(build_model("gru", 4), "delay", 3, payloads=0)


def test_a_module_that_stays_in_evaluation_mode_is_left_in_it():
    model = build_model("gru", 4)
    model.core.eval()
    evaluate(model, "delay", 3, payloads=2)
    assert model.training
    assert not model.core.training
