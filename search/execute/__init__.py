"""Running a study: trials on Ray Tune, tests beside them, failures, interrupts."""
