"""Import and export: files in, domain types out, and back."""
