"""Ray: starting or joining it, its slots, its hosts, and what happens when it dies."""
