"""What the program knows: domain types, import and export, shipped regions."""
