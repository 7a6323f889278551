"""Candidates measured in turn (A, B, C, A, B, C, …), so that what else the machine does befalls all alike."""

import statistics
import sys

from harness.processes import Failed


def say(text):
    print(text, file=sys.stderr, flush=True)


class Contest:
    """Named candidates; each is a function that measures once and returns a dictionary of figures."""

    def __init__(self, title):
        self.title = title
        self.candidates = {}
        self.samples = {}
        self.failures = []

    def add(self, name, measure):
        self.candidates[name] = measure

    def run(self, rounds):
        for number in range(1, rounds + 1):
            for name, measure in list(self.candidates.items()):
                try:
                    found = measure()
                except (Failed, OSError, TimeoutError) as error:
                    # Without one candidate the others are still worth something.
                    self.failures.append(f"{self.title}, {name}: {error}")
                    del self.candidates[name]
                    continue
                for figure, value in found.items():
                    self.samples.setdefault((name, figure), []).append(value)
                shown = ", ".join(f"{figure} {value:,.4g}" for figure, value in found.items())
                say(f"   {self.title}, round {number} of {rounds}: {name}: {shown}")
        return self

    def median(self, name, figure):
        """None where the candidate was not there or failed."""
        samples = self.samples.get((name, figure))
        return statistics.median(samples) if samples and name in self.candidates else None

    def spread(self, name, figure):
        """The lowest and the highest."""
        samples = self.samples.get((name, figure))
        return [min(samples), max(samples)] if samples else None

    def samples_of(self, figure):
        """The candidates that have such a figure, in their order."""
        return [name for name in self.candidates if (name, figure) in self.samples]
