"""From face crops to calibrated probabilities, and what they rest on."""
