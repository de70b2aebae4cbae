"""What a study searches: its schema, its YAML files, and overrides."""
