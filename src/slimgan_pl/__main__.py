"""``python -m slimgan_pl``."""

from slimgan_pl.cli.main import main

main()
