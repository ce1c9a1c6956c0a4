"""The paper's experiments with the released generalist, one a module."""
