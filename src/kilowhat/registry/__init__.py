"""The sourced numbers: tables, look-up with memory of its rungs, and audit."""
