"""What the stability model has learnt, and the published residue properties that it starts from."""
