"""What a person reads: the live view, tables, and the commands to give next."""
