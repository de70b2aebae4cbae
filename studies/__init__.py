"""What ``search`` and ``analysis`` share: the files of a study, and where they lie."""
