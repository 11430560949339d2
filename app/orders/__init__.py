"""What a customer bought: the order, its items, its price. Owns the order's two states."""
