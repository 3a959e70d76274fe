"""Numbers with units and doubt; knows no AI, no file, no network."""
