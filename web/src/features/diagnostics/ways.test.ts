import { describe, expect, it } from 'vitest';
import { fixesOf, rowsOf } from './checkRows';
import { kbps, only } from './ways';

const sdp = ['v=0', 'a=candidate:1 1 udp 2130706431 192.0.2.1 4000 typ host', 'a=candidate:2 1 TCP 1671430143 192.0.2.1 4001 typ host tcptype passive', 'a=candidate:3 1 udp 2130706431 2001:db8::1 4000 typ host', 'a=end-of-candidates', ''].join('\r\n');

describe('one way alone', () => {
  it('keeps the candidates of its transport and everything else', () => {
    expect(only(sdp, 'udp')).not.toContain('tcptype');
    expect(only(sdp, 'udp').match(/candidate:/g)).toHaveLength(2);
    expect(only(sdp, 'tcp').match(/candidate:/g)).toHaveLength(1);
    for (const t of ['udp', 'tcp'] as const) expect(only(sdp, t)).toContain('v=0\r\n');
    expect(only(sdp, 'tcp').endsWith('a=end-of-candidates\r\n')).toBe(true);
  });
});

it('measures a rate without the time in which nothing moves', () => {
  expect(kbps(125_000, 1000)).toBe(1000);
  expect(kbps(125_000, 1100, 100)).toBe(1000);
  expect(kbps(1000, 50, 100)).toBe(8000); // never by zero
});

describe('what the person reads', () => {
  const well = { camera: 'ok', microphone: 'ok', speaker: 'ok', udp: 'ok', tcp: 'ok', tls: 'ok', upKbps: 900, downKbps: 4000, rttMs: 40 } as const;
  it('has nothing to mend when all is well', () => {
    expect(fixesOf(well)).toEqual([]);
    expect(rowsOf(well).every((r) => r.tone === 'good')).toBe(true);
  });
  it('names the fix of what does not work, the worst first', () => {
    expect(fixesOf({ ...well, udp: 'failed', tcp: 'failed', tls: 'failed' })).toEqual(['noPath']);
    expect(fixesOf({ ...well, udp: 'failed', tcp: 'failed', upKbps: 80 })).toEqual(['slow']);
    expect(fixesOf({ ...well, speaker: 'failed', downKbps: 90 })).toEqual(['slow', 'speaker']);
  });
  it('shows what is not there as such, and what is under way', () => {
    const rows = rowsOf({ ...well, tls: 'off', udp: undefined, upKbps: undefined });
    expect(rows.find((r) => r.key === 'tls')).toBeUndefined();
    expect(rows.find((r) => r.key === 'udp')).toMatchObject({ tone: 'wait', word: 'trying' });
  });
});
