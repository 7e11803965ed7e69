"""The Lambda shells."""

from goalrunner_reporter.compose import compose, compose_journal
from goalrunner_reporter.settings import JournalSettings, ReportSettings
from goalrunner_shared.entrypoint import sqs_handler

report = sqs_handler(lambda: compose(ReportSettings.load()))
journal = sqs_handler(lambda: compose_journal(JournalSettings.load()))
