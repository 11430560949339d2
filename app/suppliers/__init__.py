"""Where keys come from: the port `Supplier`, and behind it Kinguin and our own stock."""
