"""Numbers that validation judges by; each file names its source in its first line, or in `source`."""
