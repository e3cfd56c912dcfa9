"""Python, YAML and JSON config files with inheritance."""
