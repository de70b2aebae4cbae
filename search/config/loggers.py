"""The loggers that a configuration can name: software of others that shows trials."""

from collections.abc import Mapping

TENSORBOARD = "tensorboard"
"""The logger whose files the study itself writes, see :mod:`search.study.tensorboard`."""

LOGGERS: Mapping[str, tuple[str, ...]] = {
    TENSORBOARD: ("tensorboardX",),
    "mlflow": ("mlflow", "sqlalchemy", "alembic"),
    "wandb": ("wandb",),
}
"""``search.loggers`` -> the packages that it needs; an extra of the same name installs them."""
