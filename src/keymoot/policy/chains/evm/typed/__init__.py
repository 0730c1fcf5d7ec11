"""EIP-712 typed data: the document itself is demanded, decoded, and hashed anew."""
