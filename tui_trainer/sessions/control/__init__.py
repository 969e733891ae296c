"""A live run's control socket: events go out to viewers in other processes, commands come in."""
