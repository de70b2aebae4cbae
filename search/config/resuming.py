"""Which settings may change when a study is resumed: how much is searched, but not what."""

from typing import Any

from search.config.study_config import StudyConfig

LIMITS = (
    "trials", "solved_trials", "patience", "budget_minutes", "budget_tokens", "reach",
    "max_failures", "stall_minutes", "final", "confirm_seeds", "tensorboard", "loggers",
)  # fmt: skip
"""Keys of ``search`` that a resumed study may change."""


def fixed_changes(earlier: StudyConfig, config: StudyConfig) -> list[str]:
    """Name the settings that differ and that a resumed study must keep.

    It may change ``resources`` and the :data:`LIMITS`.

    Returns:
        Dotted paths, such as ``search.seed``.
    """
    old, new = map(_fixed_settings, (earlier, config))
    return [path for path in old | new if old.get(path) != new.get(path)]


def _fixed_settings(config: StudyConfig) -> dict[str, Any]:
    """The settings that a resumed study must keep, by dotted path."""
    settings: dict[str, Any] = {}
    for key, value in {**config.model_dump(mode="json"), "space": config.read_space()}.items():
        if isinstance(value, dict):
            settings |= {f"{key}.{name}": entry for name, entry in value.items()}
        else:
            settings[key] = value
    free = {f"search.{name}" for name in LIMITS}
    return {k: v for k, v in settings.items() if k not in free and not k.startswith("resources.")}
