"""Money in. One row per attempt to pay an order; notices are hints, the provider's own answer decides."""
