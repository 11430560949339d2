"""Letters to customers. A letter's content is frozen with its row; it holds links, never a key and never a token."""
