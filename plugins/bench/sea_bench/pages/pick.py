"""The page on which a person picks a candidate of each case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sea_bench.build.picks import CandidateSet, Picks
from sea_bench.pages.server import Parameters, medium_tag, number, text
from sea_core.runs.containment import is_inside


@dataclass(frozen=True)
class PickPage:
    """A `Page` with the candidates of one case at a time: `/?case=N`."""

    picks: Picks
    candidate_sets: Sequence[CandidateSet]

    def render(self, query: Parameters) -> str:
        shown = number(query, "case", len(self.candidate_sets))
        return self._render(self._first_unpicked() if shown is None else shown)

    def store(self, form: Parameters) -> str:
        case, pick = self._parse_pick(form)
        self.picks.add(self.candidate_sets[case], pick)
        return f"?case={min(case + 1, len(self.candidate_sets) - 1)}"

    def find_file(self, query: Parameters) -> Path:
        case, pick = self._parse_pick(query)
        path = self.candidate_sets[case].candidates[pick - 1]
        if not is_inside(path, self.picks.folder):
            raise LookupError("this candidate is not in the folder")
        return path

    def _parse_pick(self, parameters: Parameters) -> tuple[int, int]:
        """Return the number of a case and that of its candidate."""
        case = number(parameters, "case", len(self.candidate_sets))
        if case is not None and (pick := number(parameters, "pick", len(self.candidate_sets[case].candidates) + 1)):
            return case, pick
        raise LookupError("no such candidate")

    def _first_unpicked(self) -> int:
        """Return the number of the first case without a pick, or of the last case."""
        picks = self.picks.read()
        unpicked = (i for i, candidate_set in enumerate(self.candidate_sets) if candidate_set.key not in picks)
        return next(unpicked, len(self.candidate_sets) - 1)

    def _render(self, case: int) -> str:
        candidate_set, last, picks = self.candidate_sets[case], len(self.candidate_sets) - 1, self.picks.read()
        picked = picks.get(candidate_set.key)
        done = sum(each.key in picks for each in self.candidate_sets)
        figures = [_figure(case, k, path, picked) for k, path in enumerate(candidate_set.candidates, 1)]
        return (
            f"<!doctype html><html lang=en><meta charset=utf-8><title>{done}/{last + 1} picked</title>"
            "<meta name=viewport content='width=device-width,initial-scale=1'>"
            f"<link rel=stylesheet href=/page.css><h1>{text(candidate_set.phrase)}</h1>"
            f"<p>{text(candidate_set.question)}<br><small>{text(candidate_set.key)}: case {case + 1} of {last + 1}, "
            f"{done} picked. Keys: 1 to {len(candidate_set.candidates)} pick, n: next, p: previous.</small></p>"
            f"<form method=post class=pick><input type=hidden name=case value={case}>{''.join(figures)}</form>"
            f"<nav><a data-key='p ArrowLeft' href='/?case={max(0, case - 1)}'>previous</a>"
            f"<a data-key='n ArrowRight' href='/?case={min(last, case + 1)}'>next</a>"
            f"<a href='/'>first without a pick</a></nav><script src=/page.js></script></html>"
        )


def _figure(case: int, k: int, path: Path, picked: int | None) -> str:
    medium = medium_tag(f"/media?case={case}&amp;pick={k}", path, f"candidate {k}")
    mark, label = (" class=chosen", f"{k} (picked)") if k == picked else ("", str(k))
    return f"<figure{mark}>{medium}<button name=pick value={k} data-key={k}>{label}</button></figure>"
