"""The Lambda shell."""

from goalrunner_shared.entrypoint import sqs_handler
from goalrunner_executor.compose import compose
from goalrunner_executor.settings import ExecutorSettings

handler = sqs_handler(lambda: compose(ExecutorSettings.load()))
