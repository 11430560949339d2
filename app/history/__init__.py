"""What happened to each order, in order. Append-only; numbers rise by one and become visible in that order."""
