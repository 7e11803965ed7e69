from collections.abc import Callable

from goalrunner_shared.goals.goal_set import check_set
from goalrunner_shared.goals.parse import ParsedGoal

Make = Callable[..., ParsedGoal]


def test_goals_that_fit_have_no_problem(parsed: Make) -> None:
    assert check_set([parsed("a"), parsed("b", "depends_on: [a]"), parsed("c", "depends_on: [a, b]")]) == []


def test_an_id_in_two_folders_is_refused_in_both(parsed: Make) -> None:
    problems = check_set([parsed("a"), parsed("a", folder="goals/x"), parsed("b", "depends_on: [a]")])
    assert [problem.path for problem in problems] == ["goals/a.md", "goals/x/a.md"]
    assert 'goals/x/a.md:2: the id "a" is also used by goals/a.md' in str(problems[1])


def test_a_goal_that_waits_for_nothing_that_exists_is_refused(parsed: Make) -> None:
    (problem,) = check_set([parsed("report"), parsed("b", "depends_on: [report, reprot]")])
    assert str(problem) == 'goals/b.md:4: depends_on names "reprot", which does not exist; did you mean "report"?'


def test_to_wait_for_a_broken_goal_is_no_error(parsed: Make) -> None:
    assert check_set([parsed("b", "depends_on: [broken]")], broken={"broken"}) == []


def test_all_goals_of_a_circle_are_refused_and_nobody_who_only_waits_for_it(parsed: Make) -> None:
    goals = [
        parsed("a", "depends_on: [b]"),
        parsed("b", "priority: 1", "depends_on: [x, c]"),
        parsed("c", "depends_on: [a, d]"),
        parsed("d", "depends_on: [b]"),
        parsed("waits", "depends_on: [a]"),
        parsed("x"),
    ]
    problems = check_set(goals)
    assert [problem.path for problem in problems] == [f"goals/{name}.md" for name in "abcd"]
    assert "goals/b.md:5: depends_on goes round in a circle" in str(problems[1])


def test_a_long_chain_is_no_circle_and_no_recursion(parsed: Make) -> None:
    chain = [parsed(f"g{number}", f"depends_on: [g{number + 1}]") for number in range(3000)]
    assert check_set([*chain, parsed("g3000")]) == []
    assert len(check_set([*chain, parsed("g3000", "depends_on: [g0]")])) == 3001
