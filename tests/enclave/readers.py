"""What reads the bodies of frames between host and enclave, in either direction."""

from keymoot.enclave import frames, messages

FRAMES = (
    frames.read_begin,
    frames.WatchFrame.of_item,
    frames.CertifyFrame.of_item,
    frames.OutcomeFrame.of_item,
    frames.read_requests,
    frames.VoteFrame.of_item,
    frames.ReleasedFrame.of_item,
    frames.CertifiedPlace.of_item,
    messages.read_answers,
    messages.JoinFrame.of_item,
    messages.read_stored,
)
