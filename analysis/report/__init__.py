"""What a comparison writes and prints."""
