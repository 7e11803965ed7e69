"""The Lambda shells."""

from goalrunner_shared.entrypoint import sqs_handler
from goalrunner_reporter.compose import compose, compose_journal
from goalrunner_reporter.settings import JournalSettings, ReportSettings

report = sqs_handler(lambda: compose(ReportSettings.load()))
journal = sqs_handler(lambda: compose_journal(JournalSettings.load()))
