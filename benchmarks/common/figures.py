"""Figures of the documentation, as small files."""

import argparse
import io

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from PIL import Image

__all__ = ["save_figure"]


def save_figure(figure: Figure, options: argparse.Namespace, name: str, caption: str = "") -> None:
    """Write a figure as a PNG of 256 colours, with a line that says which stars it shows."""
    if caption:
        figure.supxlabel(caption, fontsize=9, color="0.3")
    options.figures.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=100, bbox_inches="tight")
    plt.close(figure)
    path = options.figures / f"{name}.png"
    Image.open(buffer).convert("RGB").quantize(256).save(path, optimize=True)
    print(f"{path}: {path.stat().st_size / 1024:.0f} kB")
