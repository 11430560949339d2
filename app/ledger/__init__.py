"""Where each cent of an order is: double entry, append-only; a posting sums to zero, a closed order holds nothing."""
