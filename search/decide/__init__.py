"""What happens next: which search, which trial, and which trial stops."""
