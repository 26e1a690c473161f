"""Training of slimmable GANs: the LightningModule, updates and losses."""
