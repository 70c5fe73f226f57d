"""Physical constants in the house's units: Å, kcal/mol, e, K, rad, fs."""

BOLTZMANN = 0.0019872042586  # kcal/mol/K; CODATA 2018, k_B N_A
COULOMB = 332.06371  # kcal/mol Å / e²
ACCELERATION = 4.184e-4  # Å/fs² of one kcal/mol/Å acting on one dalton
ROOM_TEMPERATURE = 298.15  # K
ANGSTROM_PER_NM = 10.0
DEGREES_PER_RADIAN = 57.29577951308232
