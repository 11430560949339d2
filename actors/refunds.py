"""Jobs of the refunds room."""
