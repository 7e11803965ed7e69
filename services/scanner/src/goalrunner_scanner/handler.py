"""The Lambda shell."""

from goalrunner_shared.entrypoint import sqs_handler
from goalrunner_scanner.compose import compose
from goalrunner_scanner.settings import ScannerSettings

handler = sqs_handler(lambda: compose(ScannerSettings.load()))
