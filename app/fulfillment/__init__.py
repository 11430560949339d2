"""From paid to keys: buys at the supplier, at most once per unit, and follows each purchase to its end."""
