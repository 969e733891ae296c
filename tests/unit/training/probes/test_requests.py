"""Answers to requests, between steps."""

import gc
import weakref

from tests.unit.training.helpers import small_model
from tui_trainer.corpus.tokenizer import Tokenizer
from tui_trainer.run.requests import SampleRequest
from tui_trainer.sessions.requests import OpenRequest
from tui_trainer.training.probes.requests import RequestHandler
from tui_trainer.training.probes.scheduler import ProbeScheduler


def test_what_is_given_up_leaves_no_copy_of_the_weights() -> None:
    scheduler = ProbeScheduler()
    handler = RequestHandler(small_model(), Tokenizer.characters("The cat"), 0, scheduler, lambda: 5)
    scheduler.register(handler)
    scheduler.add_request(OpenRequest(SampleRequest("1", "The")))
    scheduler.share(lambda: True)
    assert handler._frozen._copy is not None
    copied = weakref.ref(handler._frozen._copy)
    scheduler.drop()
    gc.collect()
    assert copied() is None
    assert not scheduler.busy
