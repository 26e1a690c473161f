"""``python -m slimgan_pl``."""

from slimgan_pl.cli import main

main()
