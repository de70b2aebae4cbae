import torch

from copytask import TrainingConfig, find_task
from copytask.training.batches import CUDA_STATE_BYTES, TrainingBatches

CPU = torch.device("cpu")


def make(**changes) -> TrainingBatches:
    config = TrainingConfig(**{"model": "gru", "T": 5, "batch_size": 3, **changes})
    return TrainingBatches(config, find_task(config.task), CPU)


def test_a_restored_state_continues_with_the_next_batches():
    batches, other = make(), make(seed=1)
    batches.next(0, 5)
    other.set_state(batches.get_state())
    assert other.next(1, 4).tokens.equal(batches.next(1, 4).tokens)


def test_the_state_of_a_generator_on_a_gpu_does_not_move_that_of_the_cpu():
    batches = make()
    batches.set_state(torch.zeros(CUDA_STATE_BYTES, dtype=torch.uint8))
    assert batches.next(0, 5).tokens.equal(make().next(0, 5).tokens)


def test_fixed_payloads_come_in_turn_whatever_was_drawn_before():
    batches = make(training_payloads=4)
    tokens = [batches.next(step, 5).tokens for step in (1, 5)]  # both begin with payload 3
    assert tokens[0].equal(tokens[1])
    assert not tokens[0].equal(batches.next(2, 5).tokens)
