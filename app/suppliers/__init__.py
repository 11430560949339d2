"""Where keys come from: the port `Supplier`, and behind it Kinguin. A third supplier is one more adapter."""
