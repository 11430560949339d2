"""What providers told us, kept raw before it is answered, and what became of each notice."""
