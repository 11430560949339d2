"""The vault: one sealed key per unit sold, its reveal, and the log of both. Plaintext never rests."""
