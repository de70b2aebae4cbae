import pytest

from copytask import Purpose, Trainer, TrainingConfig, evaluate, load_model
from search.decide.model_tests import ModelTest
from search.execute.background_evaluator import BackgroundEvaluator, evaluation_thread


@pytest.fixture
def checkpoint(tmp_path):
    Trainer(TrainingConfig(model="gru", T=3, hidden_size=8, precision="fp32")).save(tmp_path / "c")
    return tmp_path / "c"


def submit(
    evaluator: BackgroundEvaluator, name: str, checkpoint, results: list, purpose=Purpose.TEST
) -> None:
    test = ModelTest(
        name, checkpoint, model="gru", task="delay", T=3, payloads=50, seed=1, purpose=purpose
    )
    evaluator.submit(test, lambda scores: results.append((name, scores)))


def test_scores_are_those_of_evaluate_and_come_in_the_order_asked_for(checkpoint):
    results = []
    with evaluation_thread() as thread:
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
    with evaluation_thread() as thread:
        evaluator = BackgroundEvaluator(thread)
        submit(evaluator, "test", checkpoint, results)
        submit(evaluator, "confirmation", checkpoint, results, Purpose.CONFIRMATION)
        evaluator.collect(wait=True)
    (_, first), (_, second) = results
    assert first.cross_entropy != second.cross_entropy


def test_a_checkpoint_that_is_gone_is_told_where_the_scores_are_collected(tmp_path):
    with evaluation_thread() as thread:
        evaluator = BackgroundEvaluator(thread)
        submit(evaluator, "a", tmp_path / "none", [])
        with pytest.raises(FileNotFoundError, match="no checkpoint at"):
            evaluator.collect(wait=True)
