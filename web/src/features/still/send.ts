/**
 * Sends a photo. By XMLHttpRequest, because fetch does not say how much has left; what was considered so that it does
 * not starve the call stands in docs/architecture.md.
 */
import { address } from '@/api/call';
import { Problem, spoken } from '@/api/client';
import type { Shot } from '@rtc/still';

export type Sending = { encounter: string; request: string; shot: Shot; key: string };

/** Milliseconds in which something must move: then the network is said to be too slow, and the person decides. */
const patience = 30_000;

/** Resolves when the server has it; rejects with a Problem. `abort` gives up without a word. */
export function sendStill({ encounter, request, shot, key }: Sending, moved: (part: number) => void): { done: Promise<void>; abort: () => void } {
  const x = new XMLHttpRequest();
  const done = new Promise<void>((resolve, reject) => {
    let slow = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const alive = () => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        slow = true;
        x.abort();
      }, patience);
    };
    const lost = () => reject(new Problem({ code: slow ? 'slow' : globalThis.navigator?.onLine === false ? 'offline' : 'unreachable' }, 0));
    x.upload.onprogress = (e) => {
      alive();
      if (e.lengthComputable) moved(e.loaded / e.total);
    };
    x.onerror = lost;
    x.onabort = lost;
    x.onload = () => (x.status === 201 ? resolve() : reject(problemOf(x)));
    x.onloadend = () => clearTimeout(timer);
    x.open('POST', address('/api/encounters/{id}/stills', { id: encounter }, { request }));
    x.setRequestHeader('Accept', 'application/json');
    x.setRequestHeader('Accept-Language', spoken());
    x.setRequestHeader('Content-Type', shot.blob.type);
    x.setRequestHeader('Content-Digest', `sha-256=:${shot.digest}:`);
    x.setRequestHeader('Idempotency-Key', key);
    alive();
    x.send(shot.blob);
  });
  return { done, abort: () => x.abort() };
}

function problemOf(x: XMLHttpRequest): Problem {
  const wait = Number(x.getResponseHeader('Retry-After'));
  const after = Number.isFinite(wait) && wait > 0 ? wait : undefined;
  try {
    return new Problem(JSON.parse(x.responseText) as Record<string, unknown>, x.status, after);
  } catch {
    return new Problem({}, x.status, after);
  }
}
