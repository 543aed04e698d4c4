"""The library's own system: telling it what happened aboard, asking it of readers and items."""
