from studies import format as files


def test_a_key_that_this_version_has_no_use_for_is_left_out():
    earlier = {
        "model": "gru", "training": {"spike_norm": 0.0},
        "search": {"prior": True, "trials": 3, "patience": 4},
    }  # fmt: skip
    values = files.recorded_values(earlier)
    assert "spike_norm" not in values["training"]
    assert values["search"] == {"trials": 3, "patience": 4, "rank_by": "accuracy", "race_seeds": 0}
    assert earlier["search"]["prior"] is True


def test_a_key_that_an_early_version_lacked_has_the_value_that_the_study_had():
    values = files.recorded_values({"model": "gru", "training": {"optimizer": "sgd"}})
    assert values["training"] == {
        "batch_size": 64, "validation_payloads": 64, "rewind": False, "optimizer": "sgd"
    }  # fmt: skip
    assert values["search"] == {"patience": None, "rank_by": "accuracy", "race_seeds": 0}
    assert values["final"] == files.EARLIER_FINAL
