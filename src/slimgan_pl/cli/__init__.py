"""The `slimgan` command: one module per subcommand."""
