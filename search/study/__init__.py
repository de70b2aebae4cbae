"""One study: its events, what follows from them, and its files."""
