"""What reads the bodies of frames between host and enclave, in either direction."""

from keymoot.enclave import frames, messages
from keymoot.runtime.vote import Vote

FRAMES = (
    frames.BeginFrame.of_item,
    frames.WatchFrame.of_item,
    frames.CertifyFrame.of_item,
    frames.OutcomeFrame.of_item,
    frames.RequestsFrame.of_item,
    Vote.of_item,
    frames.ReleasedFrame.of_item,
    frames.CertifiedPlace.of_item,
    messages.AnswersFrame.of_item,
    messages.JoinFrame.of_item,
    messages.ToldFrame.of_item,
    messages.read_stored,
)
