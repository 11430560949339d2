"""Doors of this part of the site; one file is one resource."""
