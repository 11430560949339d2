"""Durable jobs. A row is the truth, a Dramatiq message only carries its id. Promises: never lost, never done twice."""
