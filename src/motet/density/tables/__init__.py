"""Numbers that densities are made of, as CSV with unit and source; `chem.tables.read_table` reads them."""
