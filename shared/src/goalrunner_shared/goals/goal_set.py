"""What only shows when all goals are seen together."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from goalrunner_shared.goals.parse import ParsedGoal
from goalrunner_shared.goals.problems import InvalidGoal, did_you_mean


def check_set(goals: Iterable[ParsedGoal], *, broken: Collection[str] = ()) -> list[InvalidGoal]:
    """One InvalidGoal for each file that does not fit the others, in path order; all other goals stay good.

    `broken` are the ids (file stems) of files that exist but are invalid themselves: to wait for one is no error.
    """
    ordered = sorted(goals, key=lambda parsed: parsed.path)
    found: dict[str, InvalidGoal] = {}
    for problem in (*_duplicates(ordered), *_missing(ordered, broken), *_circles(ordered)):
        found.setdefault(problem.path, problem)
    return [found[path] for path in sorted(found)]


def _duplicates(goals: Sequence[ParsedGoal]) -> Iterator[InvalidGoal]:
    by_id: dict[str, list[ParsedGoal]] = {}
    for parsed in goals:
        by_id.setdefault(parsed.goal.id, []).append(parsed)
    for same in by_id.values():
        for index, parsed in enumerate(same if len(same) > 1 else ()):
            other = same[0 if index else 1].path
            problem = f'the id "{parsed.goal.id}" is also used by {other}'
            yield InvalidGoal(
                parsed.path, parsed.line_of("id"), problem, "give one of the two files another name and id"
            )


def _missing(goals: Sequence[ParsedGoal], broken: Collection[str]) -> Iterator[InvalidGoal]:
    known = {parsed.goal.id for parsed in goals}.union(broken)
    for parsed in goals:
        for index, name in enumerate(parsed.goal.depends_on):
            if name not in known:
                meant = did_you_mean(name, known - {parsed.goal.id})
                hint = f'did you mean "{meant}"?' if meant else "delete it from that list or add that goal"
                problem = f'depends_on names "{name}", which does not exist'
                yield InvalidGoal(parsed.path, parsed.line_of("depends_on", index), problem, hint)
                break


def _circles(goals: Sequence[ParsedGoal]) -> Iterator[InvalidGoal]:
    by_id = {parsed.goal.id: parsed for parsed in goals}
    for circle in _strongly_connected({name: parsed.goal.depends_on for name, parsed in by_id.items()}):
        members = set(circle)
        for name in circle:
            parsed = by_id[name]
            index, other = next((i, one) for i, one in enumerate(parsed.goal.depends_on) if one in members)
            problem = f'depends_on goes round in a circle: "{name}" waits for "{other}", which waits for "{name}"'
            hint = f'delete "{other}" from that list, or the way back'
            yield InvalidGoal(parsed.path, parsed.line_of("depends_on", index), problem, hint)


def _strongly_connected(edges: Mapping[str, Sequence[str]]) -> Iterator[list[str]]:
    """The groups of more than one whose members all reach each other (Kosaraju's two walks)."""
    back: dict[str, list[str]] = {name: [] for name in edges}
    for name, targets in edges.items():
        for target in targets:
            if target in back:
                back[target].append(name)
    seen: set[str] = set()
    for name in reversed(_finished(edges, edges, set())):
        group = _finished(back, [name], seen)
        if len(group) > 1:
            yield group


def _finished(edges: Mapping[str, Sequence[str]], roots: Iterable[str], seen: set[str]) -> list[str]:
    """The names reached from `roots` and not yet `seen`, each after all that it leads to (without recursion)."""
    finished: list[str] = []
    for root in roots:
        stack = [] if root in seen else [(root, iter(edges[root]))]
        seen.add(root)
        while stack:
            _, targets = stack[-1]
            target = next((one for one in targets if one in edges and one not in seen), None)
            if target is None:
                finished.append(stack.pop()[0])
            else:
                seen.add(target)
                stack.append((target, iter(edges[target])))
    return finished
