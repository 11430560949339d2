"""What every page and answer shares: request context, CSRF, sessions, errors, rendering."""
