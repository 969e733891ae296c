"""What looks at the model between steps: sampling and evaluation."""
