"""The Lambda shell."""

from goalrunner_planner.compose import compose
from goalrunner_planner.settings import PlannerSettings
from goalrunner_shared.entrypoint import sqs_handler

handler = sqs_handler(lambda: compose(PlannerSettings.load()))
