"""Parameters of the force field, as CSV with unit and source; `chem.read_table` reads them."""
