"""What looks at the model between steps: sampling, evaluation, and the answers to requests."""
