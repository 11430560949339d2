"""What needs a person: one open row per subject and code, opened once and resolved when its reason is gone."""
