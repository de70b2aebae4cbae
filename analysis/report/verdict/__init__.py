"""The verdict on each task in words: one file for each question that it answers."""
