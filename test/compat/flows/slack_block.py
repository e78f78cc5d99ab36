"""Saves a Slack block for the URL that is given."""

import sys

from facts import NAME, tell

from prefect.blocks.notifications import SlackWebhook

tell(id=str(SlackWebhook(url=sys.argv[1]).save(NAME.lower())))
