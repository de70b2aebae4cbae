import pandas as pd

from benchmarks import scale_tables


def test_the_verdict_says_where_workers_and_driver_stop_to_help():
    rows = [
        {"driver": driver, "workers": workers, "clock": clock, "driver_share": 0.5, "ask_ms": 60.0,
         "report_ms": 1.0, "efficiency": 80 / clock / workers, "work": 3.0}
        for driver, clocks in (("free", (80, 40, 21, 20)), ("measured", (80, 40, 22, 90)))
        for workers, clock in zip((1, 2, 4, 8), clocks, strict=True)
    ]  # fmt: skip
    text = scale_tables.verdict(pd.DataFrame(rows))
    assert "From 8 workers on, less than half" in text
    assert "From 8 workers on, twice as many" in text
    assert "From 8 workers on, the driver costs" in text


def test_what_is_simulated_with_many_workers_only_is_compared_with_one_that_is_charged():
    rows = pd.DataFrame(
        {"driver": driver, "workers": workers, "seed": 0, "clock": clock, "tokens": 10}
        for driver, workers, clock in (
            ("decisions", 128, 2.0), ("measured", 1, 128.0), ("measured", 128, 4.0),
            ("several", 128, 1.0),
        )
    )  # fmt: skip
    efficiency = scale_tables.summary(rows).set_index(["driver", "workers"])["efficiency"]
    assert efficiency.to_dict() == {
        ("decisions", 128): 0.5, ("measured", 1): 1.0, ("measured", 128): 0.25,
        ("several", 128): 1.0,
    }  # fmt: skip


def test_efficiency_is_the_speed_up_a_worker_and_trials_beyond_the_pool_repeat_a_curve():
    rows = pd.DataFrame(
        {"driver": driver, "workers": workers, "seed": seed, "clock": clock + seed,
         "tokens": tokens, "trials": trials}
        for driver in ("free", "measured")
        for workers, clock, tokens, trials in ((1, 79, 10, 40), (4, 39, 25, 200))
        for seed in range(3)
    )  # fmt: skip
    one, four = scale_tables.time_table(rows, pool=100).splitlines()[2:]
    assert one == "| 1 | 80 [79, 81] | 100 % | 80 [79, 81] | 100 % | 1.0 | 40 | |"
    assert four == "| 4 | 40 [39, 41] | 50 % | 40 [39, 41] | 50 % | 2.5 | 200 | 50 % |"


def test_the_table_of_the_driver_says_how_long_a_trial_trains():
    rows = pd.DataFrame(
        {"driver": driver, "workers": 4, "seed": 0, "clock": 10.0, "tokens": 10, "trials": 8,
         "utilisation": 0.5, "driver_share": 0.2, "ask_ms": 1.0, "report_ms": 1.0, "ray_ms": 1.0,
         "suggest_ms": 5.0}
        for driver in ("free", "measured")
    )  # fmt: skip
    line = scale_tables.driver_table(rows).splitlines()[-1]
    assert line.startswith("| 4 | 2.5 | 50 % |")


def test_a_change_shows_how_busy_most_workers_were_and_are():
    def make(utilisation: float) -> pd.DataFrame:
        return pd.DataFrame(
            {"driver": driver, "workers": workers, "seed": 0, "clock": 10.0, "tokens": 10,
             "trials": 8 * workers, "utilisation": utilisation * 4 / workers}
            for driver in ("free", "measured")
            for workers in (4, 8)
        )  # fmt: skip

    line = scale_tables.change_table({"short": (make(0.5), make(0.8))}).splitlines()[-1]
    assert line == "| short | 8 | 0.3 | 25 % | 0.5 | 40 % |"
