"""Write the transcripts again: to the same bytes."""

from tests.threshold.transcripts.files import FILES, FOLDER, text_of

FOLDER.mkdir(exist_ok=True)
for name in FILES:
    (FOLDER / f"{name}.json").write_text(text_of(name))
