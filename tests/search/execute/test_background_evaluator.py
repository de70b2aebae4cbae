import errno
import threading
import time
from concurrent.futures import CancelledError

import pytest

from copytask import Purpose, Trainer, TrainingConfig, evaluate, load_model
from search.decide.model_tests import ModelTest
from search.execute import background_evaluator
from search.execute.background_evaluator import BackgroundEvaluator, EvaluationThread
from search.storage import store


@pytest.fixture
def checkpoint(tmp_path):
    Trainer(TrainingConfig(model="gru", T=3, hidden_size=8, precision="fp32")).save(tmp_path / "c")
    return tmp_path / "c"


def make_test(name: str, checkpoint, purpose=Purpose.TEST, payloads: int = 50) -> ModelTest:
    return ModelTest(
        name, checkpoint, model="gru", task="delay", T=3, payloads=payloads, seed=1,
        purpose=purpose,
    )  # fmt: skip


def submit(
    evaluator: BackgroundEvaluator, name: str, checkpoint, results: list, purpose=Purpose.TEST
) -> None:
    evaluator.submit(
        make_test(name, checkpoint, purpose), lambda scores: results.append((name, scores))
    )


def test_scores_are_those_of_evaluate_and_come_in_the_order_asked_for(checkpoint):
    results = []
    with EvaluationThread() as thread:
        evaluator = BackgroundEvaluator(thread)
        for name in "abc":
            submit(evaluator, name, checkpoint, results)
        assert evaluator.trials == {"a", "b", "c"}
        evaluator.collect(wait=True)
        assert evaluator.trials == set()
    expected = evaluate(load_model(checkpoint), "delay", 3, payloads=50, seed=1)
    assert results == [(name, expected) for name in "abc"]


def test_other_payloads_give_other_scores(checkpoint):
    results = []
    with EvaluationThread() as thread:
        evaluator = BackgroundEvaluator(thread)
        submit(evaluator, "test", checkpoint, results)
        submit(evaluator, "confirmation", checkpoint, results, Purpose.CONFIRMATION)
        evaluator.collect(wait=True)
    (_, first), (_, second) = results
    assert first.cross_entropy != second.cross_entropy


def test_a_checkpoint_that_is_gone_is_told_where_the_scores_are_collected(tmp_path):
    with EvaluationThread() as thread:
        evaluator = BackgroundEvaluator(thread)
        submit(evaluator, "a", tmp_path / "none", [])
        with pytest.raises(FileNotFoundError, match="no checkpoint at"):
            evaluator.collect(wait=True)


def until_cancelled(futures: list) -> None:
    """Wait until the end of the thread has cancelled the test that comes next."""
    deadline = time.monotonic() + 10
    while not (futures and futures[0].cancelled()) and time.monotonic() < deadline:
        time.sleep(0.01)


def test_at_the_end_the_test_that_runs_stops_at_its_next_batch(checkpoint, monkeypatch):
    runs, calls, queued = threading.Event(), [], []

    def load_slow(*arguments, **named):
        model = load_model(*arguments, **named)
        forward = model.core.forward

        def slow_forward(*inputs, **options):
            calls.append(1)
            runs.set()
            until_cancelled(queued)
            return forward(*inputs, **options)

        model.core.forward = slow_forward
        return model

    monkeypatch.setattr(background_evaluator, "load_model", load_slow)
    with EvaluationThread() as thread:
        running = thread.submit(make_test("a", checkpoint, payloads=1000))  # in four batches
        queued.append(thread.submit(make_test("b", checkpoint)))
        assert runs.wait(60)
    assert queued[0].cancelled()
    with pytest.raises(CancelledError):
        running.result()
    assert len(calls) == 1


def test_a_test_that_waits_for_the_storage_stops_at_the_next_attempt(checkpoint, monkeypatch):
    fails, queued = threading.Event(), []

    def fail(*arguments, **named):
        fails.set()
        until_cancelled(queued)
        raise OSError(errno.ETIMEDOUT, "no answer")

    monkeypatch.setattr(store, "FIRST_PAUSE", 0.0)
    monkeypatch.setattr(store, "RETRY_SECONDS", 1.0)
    monkeypatch.setattr(background_evaluator, "load_model", fail)
    with EvaluationThread() as thread:
        running = thread.submit(make_test("a", checkpoint))
        queued.append(thread.submit(make_test("b", checkpoint)))
        assert fails.wait(60)
    with pytest.raises(CancelledError):
        running.result()
