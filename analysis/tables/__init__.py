"""The tables of a comparison: one file for each written table."""
