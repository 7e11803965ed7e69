"""The Lambda shell."""

from goalrunner_executor.compose import compose
from goalrunner_executor.settings import ExecutorSettings
from goalrunner_shared.entrypoint import sqs_handler

handler = sqs_handler(lambda: compose(ExecutorSettings.load()))
