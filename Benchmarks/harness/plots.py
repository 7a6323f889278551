"""Draws the plots of docs/performance.md: the results on standard input, the folder of images as the argument."""

import json
import os
import sys

import matplotlib

matplotlib.use("svg")
# The same figures give the same file.
matplotlib.rcParams.update({"svg.hashsalt": "secchat", "svg.fonttype": "none", "font.size": 10,
                            "axes.spines.top": False, "axes.spines.right": False})
import matplotlib.pyplot as plot  # noqa: E402

OURS, OTHERS = "#1f6f8b", "#b8c4c9"


def bars(rows, unit, title, path):
    """Ours beside all that was measured with it."""
    rows = [row for row in rows if row["unit"] == unit and row["other"]]
    if not rows or rows[0]["secchat"] is None:
        return
    values = {"secchat": rows[0]["secchat"], **{row["other"]: row["beside"] for row in rows}}
    names = sorted(values, key=values.get)
    figure, axes = plot.subplots(figsize=(7, 0.35 * len(names) + 0.8))
    drawn = axes.barh(names, [values[name] for name in names],
                      color=[OURS if name == "secchat" else OTHERS for name in names])
    axes.bar_label(drawn, labels=[f"{values[name]:,.0f}" for name in names], padding=3)
    axes.set_title(title)
    axes.xaxis.set_visible(False)
    axes.spines["bottom"].set_visible(False)
    save(figure, path)


def growth(series, title, axis, path):
    """Each figure of a series over its size, one below the other."""
    if not series:
        return
    names = [name for name in series[0] if name != "size"]
    figure, all_axes = plot.subplots(len(names), 1, figsize=(7, 1.9 * len(names) + 0.6), sharex=True, squeeze=False)
    sizes = [point["size"] for point in series]
    for name, axes in zip(names, all_axes[:, 0]):
        axes.plot(sizes, [point.get(name) for point in series], marker="o", color=OURS)
        axes.set_ylabel(name)
        axes.set_ylim(bottom=0)
        if sizes[-1] / sizes[0] > 100:
            axes.set_xscale("log")
    all_axes[0, 0].set_title(title)
    all_axes[-1, 0].set_xlabel(axis)
    save(figure, path)


def save(figure, path):
    figure.savefig(path, metadata={"Date": None}, bbox_inches="tight")
    plot.close(figure)


def main():
    groups, images = json.load(sys.stdin), sys.argv[1]
    files = groups.get("files", {}).get("rows", [])
    bars(files, "MB/s", "2 GiB over loopback, MB/s", os.path.join(images, "files.svg"))
    bars(files, "files/s", "2,000 files of 16 KiB, files a second", os.path.join(images, "small-files.svg"))
    series = groups.get("registry", {}).get("series", {})
    growth(series.get("connections"), "The registry with idle connections", "connections",
           os.path.join(images, "registry-connections.svg"))
    growth(series.get("accounts"), "The registry with accounts", "accounts",
           os.path.join(images, "registry-accounts.svg"))


main()
