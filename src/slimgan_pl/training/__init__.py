"""Training of slimmable GANs: the LightningModule, the updates of an iteration, the losses."""
