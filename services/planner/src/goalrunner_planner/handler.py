"""The Lambda shell."""

from goalrunner_shared.entrypoint import sqs_handler
from goalrunner_planner.compose import compose
from goalrunner_planner.settings import PlannerSettings

handler = sqs_handler(lambda: compose(PlannerSettings.load()))
