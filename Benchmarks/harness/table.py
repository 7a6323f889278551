"""Rows of `what | secchat | limit or peer | ratio | aim`, on the terminal and in Markdown."""

import operator

TESTS = {"≥": operator.ge, "≤": operator.le, "<": operator.lt, ">": operator.gt}


class Aim:
    """What a figure should reach: `Aim("≥", 0.95)` of the ratio, `Aim("≥", 70_000, of="value")` of the figure itself."""

    def __init__(self, sign, bound, of="ratio"):
        self.sign = sign
        self.bound = bound
        self.of = of

    def met(self, value, ratio):
        measured = ratio if self.of == "ratio" else value
        return None if measured is None else TESTS[self.sign](measured, self.bound)

    def text(self, unit):
        if self.of == "ratio":
            return f"ratio {self.sign} {self.bound:g}"
        return f"{self.sign} {number(self.bound)} {unit}"


def row(contest, what, unit, figure, ours, other=None, other_figure=None, aim=None):
    """A row of the table, or None where one of its sides was not measured."""
    value = contest.median(ours, figure)
    beside = contest.median(other, other_figure or figure) if other else None
    if value is None or (other and beside is None):
        return None
    ratio = value / beside if beside else None
    return {
        "what": what,
        "unit": unit,
        "secchat": value,
        "spread": contest.spread(ours, figure),
        "other": other,
        "beside": beside,
        "beside_spread": contest.spread(other, other_figure or figure) if other else None,
        "ratio": ratio,
        "aim": aim.text(unit) if aim else None,
        "met": aim.met(value, ratio) if aim else None,
    }


def plain(contest, name, figure, what, unit):
    """A row for somebody else's figure alone."""
    value = contest.median(name, figure)
    if value is None:
        return None
    return {"what": what, "unit": unit, "secchat": None, "other": name, "beside": value,
            "beside_spread": contest.spread(name, figure), "ratio": None, "aim": None, "met": None}


def number(value):
    """Three digits that count, thousands apart."""
    if value is None:
        return ""
    if abs(value) >= 100:
        rounded = float(f"{value:.3g}") if abs(value) < 1000 else round(value, -1 if value < 10_000 else -2)
        return f"{rounded:,.0f}"
    return f"{value:.3g}" if abs(value) >= 1 else f"{value:.2g}"


HEAD = ["what", "secchat", "limit or peer", "ratio", "aim"]


def cells(one):
    beside = ""
    if one["other"]:
        beside = f"{one['other']}: {number(one['beside'])}"
    aim = one["aim"] or ""
    if one["met"] is not None:
        aim += " ✓" if one["met"] else " ✗"
    ratio = "" if one["ratio"] is None else f"{one['ratio']:.2f}"
    return [f"{one['what']}, {one['unit']}", number(one["secchat"]), beside, ratio, aim]


def text(rows):
    lines = [HEAD] + [cells(one) for one in rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines)


def markdown(rows):
    lines = ["| " + " | ".join(HEAD) + " |", "|---|---:|---|---:|---|"]
    lines += ["| " + " | ".join(cells(one)) + " |" for one in rows]
    return "\n".join(lines)
