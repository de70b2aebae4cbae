"""The configuration of a study: its schema, and how it is read.

``study_config`` is the whole schema; ``sections`` has its parts ``search`` and ``resources``;
``space`` reads the search space; ``algorithms`` lists samplers and schedulers. ``layers`` puts one
configuration over another: default.yaml below, the user's file above it. ``reading`` reads the
YAML files, applies ``--set`` and the other flags, and turns every fault into one line. ``resuming``
says which settings may change when a study is resumed.
"""
