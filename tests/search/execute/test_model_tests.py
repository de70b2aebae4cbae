import pytest

from copytask import Purpose, Trainer, TrainingConfig, evaluate, load_model
from search.execute.model_tests import BackgroundTester


@pytest.fixture
def checkpoint(tmp_path):
    Trainer(TrainingConfig(model="gru", T=3, hidden_size=8, precision="fp32")).save(tmp_path / "c")
    return tmp_path / "c"


def submit(
    tester: BackgroundTester, name: str, checkpoint, results: list, purpose=Purpose.TEST
) -> None:
    tester.submit(
        name, checkpoint, lambda scores: results.append((name, scores)),
        model="gru", task="delay", T=3, payloads=50, seed=1, purpose=purpose,
    )  # fmt: skip


def test_scores_are_those_of_evaluate_and_come_in_the_order_asked_for(checkpoint):
    results = []
    with BackgroundTester() as tester:
        for name in "abc":
            submit(tester, name, checkpoint, results)
        assert tester.trials == {"a", "b", "c"}
        tester.collect(wait=True)
        assert tester.trials == set()
    expected = evaluate(load_model(checkpoint), "delay", 3, payloads=50, seed=1)
    assert results == [(name, expected) for name in "abc"]


def test_other_payloads_give_other_scores(checkpoint):
    results = []
    with BackgroundTester() as tester:
        submit(tester, "test", checkpoint, results)
        submit(tester, "confirmation", checkpoint, results, Purpose.CONFIRMATION)
        tester.collect(wait=True)
    (_, first), (_, second) = results
    assert first.cross_entropy != second.cross_entropy


def test_a_checkpoint_that_is_gone_is_told_where_the_scores_are_collected(tmp_path):
    with BackgroundTester() as tester:
        submit(tester, "a", tmp_path / "none", [])
        with pytest.raises(FileNotFoundError, match="no checkpoint at"):
            tester.collect(wait=True)
