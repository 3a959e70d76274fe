"""The nouns: frozen, without I/O and without formulas."""
