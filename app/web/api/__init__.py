"""``/api/v1``: JSON for merchants, snake_case, by a key and its secret. A file a resource; ``router`` mounts all."""
