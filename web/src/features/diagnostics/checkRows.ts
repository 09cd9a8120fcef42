/** What the check page shows of a result: one row per thing tried, and the sentences that mend. Pure. */
import type { CheckResult } from '@/api/types';
import type { StateTone } from '@/ui/State';

type Known = { [K in 'camera' | 'microphone' | 'speaker' | 'udp' | 'tcp' | 'tls' | 'upKbps' | 'downKbps' | 'rttMs']?: CheckResult[K] | undefined };

export type RowKey = 'camera' | 'microphone' | 'speaker' | 'udp' | 'tcp' | 'tls' | 'rate';
export type Row = { key: RowKey; tone: StateTone; word: 'ok' | 'failed' | 'trying' | 'asked' | 'rate'; up?: number; down?: number };
export type Fix = 'noPath' | 'slow' | 'speaker';

/** kbit/s below which a picture does not pass (as signaling/check). */
const none = 110;

const bad = (k: Known) => ({
  path: [k.udp, k.tcp, k.tls].includes('failed') && ![k.udp, k.tcp, k.tls].includes('ok') && k.udp !== undefined && k.tcp !== undefined && k.tls !== undefined,
  slow: [k.upKbps, k.downKbps].some((n) => n !== undefined && n > 0 && n < none),
});

export function rowsOf(k: Known): Row[] {
  const rows: Row[] = [];
  for (const key of ['camera', 'microphone', 'speaker'] as const) {
    const state = k[key];
    if (state === undefined) rows.push({ key, tone: 'wait', word: key === 'speaker' ? 'asked' : 'trying' });
    else if (state !== 'untested') rows.push({ key, tone: state === 'ok' ? 'good' : 'bad', word: state === 'ok' ? 'ok' : 'failed' });
  }
  const another = [k.udp, k.tcp, k.tls].includes('ok');
  for (const key of ['udp', 'tcp', 'tls'] as const) {
    const state = k[key];
    if (state === undefined) rows.push({ key, tone: 'wait', word: 'trying' });
    else if (state === 'ok') rows.push({ key, tone: 'good', word: 'ok' });
    else if (state === 'failed') rows.push({ key, tone: another ? 'warn' : 'bad', word: 'failed' });
  }
  if (k.upKbps === undefined || k.downKbps === undefined) rows.push({ key: 'rate', tone: 'wait', word: 'trying' });
  else if (k.upKbps > 0 && k.downKbps > 0) rows.push({ key: 'rate', tone: bad(k).slow ? 'bad' : 'good', word: 'rate', up: k.upKbps, down: k.downKbps });
  else rows.push({ key: 'rate', tone: 'warn', word: 'failed' });
  return rows;
}

/** What to do about network and loudspeaker; devices have their own sentences (problems.ts). */
export function fixesOf(k: Known): Fix[] {
  const { path, slow } = bad(k);
  const list: Fix[] = [];
  if (path) list.push('noPath');
  else if (slow) list.push('slow');
  if (k.speaker === 'failed') list.push('speaker');
  return list;
}
