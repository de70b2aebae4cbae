"""Folders and object stores: reading, writing, locking."""
