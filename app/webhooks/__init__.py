"""What we tell merchants: their endpoints, every event's way to each, and the objects as merchants see them."""
