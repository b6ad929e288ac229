-- Queries about the proofs of a sender's duties.

-- name: proof
-- What was found last about a domain.
SELECT looked_ms, proven_ms, fault FROM duty_proof WHERE domain = ?1;

-- name: write
-- Note what was found about a domain; the time of its last proof stays if this is none.
INSERT INTO duty_proof (domain, looked_ms, proven_ms, fault) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (domain) DO UPDATE SET
  looked_ms = excluded.looked_ms,
  proven_ms = coalesce(excluded.proven_ms, duty_proof.proven_ms),
  fault = excluded.fault;
