"""Statistics of loops, as CSV with unit and source; `chem.read_table` reads them."""
