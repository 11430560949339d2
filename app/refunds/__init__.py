"""Money back: asked for, given an address by the customer, approved by a person, paid out once."""
