"""Windows and pages that show what an `mien.Analyzer` returns."""
