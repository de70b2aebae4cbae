from benchmarks.architecture_speed import count_operations
from copytask import TrainingConfig, find_task


def test_a_cell_multiplies_its_recurrent_matrices_once_forward_and_twice_backward():
    training = TrainingConfig(model="gru", T=1000, hidden_size=8, batch_size=2)
    tokens = 2 * find_task("delay").length(1000)
    assert count_operations(training) == 3 * 2 * (3 * 8 * 8) * tokens


def test_attention_counts_with_its_products():
    training = TrainingConfig(model="transformer", task="sequence", T=1000, batch_size=1)
    size = 2 * 32 + 1  # of 32 frequencies
    scores = 1000 * find_task("sequence").length(1000)
    # forward: scores and sums; backward: scores again, and two of each; all else is linear in L
    attention = 7 * 2 * size * scores
    assert attention < count_operations(training) < 1.2 * attention
