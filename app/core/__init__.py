"""The ground: settings, money, states, the database, sealing. Knows no business and imports no room."""
