"""Files that a training run leaves: checkpoints, settings, logs, results."""
