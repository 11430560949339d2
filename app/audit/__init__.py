"""Who did what with keys, links and admin rights: append-only, hash-chained, so that any change shows."""
