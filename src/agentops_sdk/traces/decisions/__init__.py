"""Why a run went the way it did: decisions that were stated, those that spans reveal, and what came of them."""
