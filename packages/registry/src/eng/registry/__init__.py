"""Names to classes, in scopes and trees, and objects built from config dicts."""
