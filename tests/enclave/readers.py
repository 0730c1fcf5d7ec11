"""What reads the bodies of frames between host and enclave, in either direction."""

from keymoot.enclave import frames, messages

FRAMES = (
    frames.read_begin,
    frames.read_watch,
    frames.read_certify,
    frames.read_outcome,
    frames.read_requests,
    frames.Ballot.decode,
    frames.Released.decode,
    frames.Place.decode,
    messages.read_answers,
    messages.read_join,
    messages.read_stored,
)
