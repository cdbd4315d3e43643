"""The talk's other half: convolutional spiking networks for words (README, section 10 on)."""
