"""The notifier's functions."""

from goalrunner_shared.entrypoint import sqs_handler
from goalrunner_notifier import compose
from goalrunner_notifier.settings import NotifierSettings

hear = sqs_handler(lambda: compose.hear_app(NotifierSettings.load()))
deliver = sqs_handler(lambda: compose.deliver_app(NotifierSettings.load()))
updates = sqs_handler(lambda: compose.updates_app(NotifierSettings.load()))
