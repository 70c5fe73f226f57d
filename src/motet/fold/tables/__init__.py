"""What AlphaFold2 fixes in numbers: ideal places of atoms, and the names of its parameters."""
