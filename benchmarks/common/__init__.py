"""What the benchmarks share: options, stars, tables and figures of the documentation."""
