"""BitLoot: a shop and a payment gateway for digital keys. Rooms are stacked, imports point down."""
