"""A person with a browser, from the catalog to the key."""
