"""Products, their prices and what the supplier has of them. Prices come from here and from nowhere else."""
