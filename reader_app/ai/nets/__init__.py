"""The networks: the only room, beside training, that knows torch."""
