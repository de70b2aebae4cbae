"""What users see: the live view, tables, and the commands to run next."""
