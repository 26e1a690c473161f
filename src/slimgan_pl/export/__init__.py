"""Export of trained generators to other runtimes."""
