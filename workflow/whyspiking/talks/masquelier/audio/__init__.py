"""The talk's other half: convolutional spiking networks for spoken words (README, section 10 on)."""
