// What the engine asks of the page it runs in, and small things without state.

import type { SocketWorld } from './socket';
import type { ChatMessage } from './wire';

/** Both lists once each, in the order of time. */
export function merged(a: readonly ChatMessage[], b: readonly ChatMessage[]): ChatMessage[] {
  const all = new Map<string, ChatMessage>();
  for (const m of [...a, ...b]) all.set(`${m.from}/${m.id}`, m);
  return [...all.values()].sort((x, y) => Date.parse(x.at) - Date.parse(y.at));
}

/** Random per tab and encounter, the same after a reload. */
export function tabOf(encounter: string): string {
  const key = `visavis.tab.${encounter}`;
  try {
    const kept = sessionStorage.getItem(key);
    if (kept) return kept;
    const made = crypto.randomUUID();
    sessionStorage.setItem(key, made);
    return made;
  } catch {
    return Math.random().toString(36).slice(2); // storage is closed to us: a reload will ask to take over
  }
}

export async function admitByFetch(encounter: string, signal: AbortSignal): Promise<{ ticket: string; url: string }> {
  const answer = await fetch(`/api/encounters/${encodeURIComponent(encounter)}/admission`, { method: 'POST', signal });
  if (!answer.ok) throw Object.assign(new Error('admission'), { status: answer.status });
  return (await answer.json()) as { ticket: string; url: string };
}

export function browserWorld(): SocketWorld {
  return {
    open: (url) => new WebSocket(new URL(url, location.href.replace(/^http/, 'ws')), 'visavis.v1'),
    random: Math.random,
  };
}

/** Keeps the screen on while a person waits or speaks. */
export class Awake {
  private lock: WakeLockSentinel | null = null;

  want(on: boolean) {
    if (!on) {
      void this.lock?.release().catch(() => undefined);
      this.lock = null;
    } else if ((!this.lock || this.lock.released) && globalThis.navigator?.wakeLock) {
      navigator.wakeLock.request('screen').then(
        (lock) => (this.lock = lock),
        () => undefined, // the battery is low: the system is right
      );
    }
  }
}
