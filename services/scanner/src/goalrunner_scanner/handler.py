"""The Lambda shell."""

from goalrunner_scanner.compose import compose
from goalrunner_scanner.settings import ScannerSettings
from goalrunner_shared.entrypoint import sqs_handler

handler = sqs_handler(lambda: compose(ScannerSettings.load()))
