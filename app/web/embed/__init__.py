"""What stands in merchants' pages: the SDK's files, the checkout in its frame, and how an order stands."""
