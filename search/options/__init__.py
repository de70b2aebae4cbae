"""The command line of a search: its flags, and which of them go together."""
