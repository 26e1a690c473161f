"""What leaves the package: exported generators, held to the images that PyTorch draws, and the card beside them."""
