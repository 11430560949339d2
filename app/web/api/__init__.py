"""``/api/v1``: JSON doors for merchants, snake_case, with a key and its secret. One file is one resource."""
