"""Who reads the published transcripts, and knows nothing but what stands in them."""
