//! Retry, backoff, circuit breaker.
