"""What every endpoint shares: errors as problem+json, bounded JSON bodies, strict input, rate limits."""
