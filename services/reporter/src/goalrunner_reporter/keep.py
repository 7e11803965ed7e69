"""Every event → one object in the journal."""

from dataclasses import dataclass

from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from goalrunner_shared.blobs import Blobs
from goalrunner_shared.journal import journal_key, read_entry
from goalrunner_shared.messages import Message, is_replay


@dataclass(frozen=True)
class Delivery:
    """An event in the envelope that the bus put round it, as JSON."""

    envelope: str


def keep(message: Message[Delivery], *, blobs: Blobs) -> None:
    """Write the envelope unless its event is in the journal already: what was delivered first stays."""
    blobs.put_new(journal_key(message.meta), message.body.envelope.encode())


def read_delivery(record: SQSRecord) -> Message[Delivery] | None:
    """The delivery in a record; None for what the archive replays, MalformedMessage for what is no envelope."""
    entry = read_entry(record.body)
    if is_replay(record.raw_event):
        return None
    return Message(Delivery(record.body), entry.meta, message_id=record.message_id)
