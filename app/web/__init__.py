"""Doors: parse, one service or query, then a template or JSON. One file is one resource."""
