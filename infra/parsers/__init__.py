"""Parsers: one module for each family of formats; `process` is the way in, `child` is where they run."""
