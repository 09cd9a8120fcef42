/** The secret of a join link: only ever in the fragment it came in, then in memory. */

/** 256 bits in base64url; anything shorter or of other signs is not a token. */
const shape = /^[A-Za-z0-9_-]{20,200}$/;

export function tokenOf(hash: string): string | null {
  const text = hash.replace(/^#/, '');
  return shape.test(text) ? text : null;
}

/** Takes the token out of the address bar and the history, keeping the path and the step. */
export function stripToken() {
  if (location.hash !== '') history.replaceState(history.state, '', location.pathname + location.search);
}
