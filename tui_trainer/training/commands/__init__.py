"""What a trainer does on a command: a function for each kind, in the trainer's thread, at a step boundary."""
