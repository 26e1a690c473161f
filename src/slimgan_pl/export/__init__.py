"""Export of trained generators to other runtimes: formats, parity, model card, site."""
