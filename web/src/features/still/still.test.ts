import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Problem } from '@/api/client';
import { curable, next, type Happened, type Step } from './flow';
import { sendStill } from './send';

const shot = { blob: new Blob(['x'], { type: 'image/jpeg' }), digest: 'AAAA' };
const lost = new Problem({ code: 'unreachable' }, 0);
const over = new Problem({ code: 'still-act-over' }, 410);

const after = (...list: Happened[]): Step => list.reduce<Step>(next, { at: 'frame' });
const taken: Happened[] = [{ did: 'take' }, { did: 'taken', shot, key: 'k1' }];

describe('a photo on its way', () => {
  test('from the frame to the record', () => {
    expect(after({ did: 'take' }).at).toBe('taking');
    expect(after(...taken)).toEqual({ at: 'look', shot, key: 'k1' });
    expect(after(...taken, { did: 'send' }, { did: 'moved', part: 0.4 })).toEqual({ at: 'sending', shot, key: 'k1', part: 0.4 });
    expect(after(...taken, { did: 'send' }, { did: 'sent' })).toEqual({ at: 'sent' });
  });

  test('a lost network sends the same photo under the same key; taking another makes another key', () => {
    const stuck = after(...taken, { did: 'send' }, { did: 'refused', problem: lost });
    expect(stuck).toEqual({ at: 'stuck', shot, key: 'k1', problem: lost });
    expect(next(stuck, { did: 'send' })).toEqual({ at: 'sending', shot, key: 'k1', part: 0 });
    expect(next(next(next(stuck, { did: 'again' }), { did: 'take' }), { did: 'taken', shot, key: 'k2' })).toEqual({ at: 'look', shot, key: 'k2' });
  });

  test('what the server does not want is not sent again', () => {
    const refused = after(...taken, { did: 'send' }, { did: 'refused', problem: over });
    expect(refused).toEqual({ at: 'unwanted', problem: over });
    expect(next(refused, { did: 'send' })).toBe(refused);
    expect(next(refused, { did: 'again' })).toEqual({ at: 'frame' });
  });

  test('a camera that fails can be tried again', () => {
    const failed = after({ did: 'take' }, { did: 'failed', cause: 'camera' });
    expect(failed).toEqual({ at: 'failed', cause: 'camera' });
    expect(next(failed, { did: 'again' })).toEqual({ at: 'frame' });
  });

  test('what comes late or twice changes nothing, and progress never goes back', () => {
    const sending = after(...taken, { did: 'send' }, { did: 'moved', part: 0.8 });
    for (const h of [{ did: 'take' }, { did: 'taken', shot, key: 'k9' }, { did: 'failed', cause: 'camera' }, { did: 'again' }, { did: 'send' }] as Happened[]) expect(next(sending, h)).toBe(sending);
    expect(next(sending, { did: 'moved', part: 0.1 })).toMatchObject({ part: 0.8 });
    expect(next(sending, { did: 'moved', part: 7 })).toMatchObject({ part: 1 });
    for (const h of [{ did: 'sent' }, { did: 'refused', problem: lost }, { did: 'moved', part: 1 }] as Happened[]) expect(after(...taken, h)).toEqual(after(...taken));
  });

  test('which problems another try may not have', () => {
    for (const status of [0, 408, 429, 500, 503]) expect(curable(new Problem({}, status)), String(status)).toBe(true);
    for (const status of [401, 403, 404, 409, 410, 413, 422]) expect(curable(new Problem({}, status)), String(status)).toBe(false);
    expect(curable(new Problem({ fields: [{ name: 'header.Content-Digest', code: 'digest-differs' }] }, 422))).toBe(true);
  });
});

class FakeRequest {
  static last: FakeRequest;
  upload: { onprogress?: (e: { loaded: number; total: number; lengthComputable: boolean }) => void } = {};
  headers: Record<string, string> = {};
  status = 0;
  responseText = '';
  url = '';
  sent: unknown;
  onload = () => undefined as void;
  onerror = () => undefined as void;
  onabort = () => undefined as void;
  onloadend = () => undefined as void;

  constructor() {
    FakeRequest.last = this;
  }

  open(_method: string, url: string) {
    this.url = url;
  }

  setRequestHeader(name: string, value: string) {
    this.headers[name] = value;
  }

  getResponseHeader() {
    return null;
  }

  send(body: unknown) {
    this.sent = body;
  }

  abort() {
    this.onabort();
    this.onloadend();
  }

  answers(status: number, body = '') {
    this.status = status;
    this.responseText = body;
    this.onload();
    this.onloadend();
  }
}

describe('sending', () => {
  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal('XMLHttpRequest', FakeRequest);
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });
  const send = (moved: (part: number) => void = () => undefined) => sendStill({ encounter: 'e 1', request: 'r1', shot, key: 'k1' }, moved);
  const why = (p: Promise<void>) => p.then(() => 'sent', (e: Problem) => `${e.status} ${e.code}`);

  test('says what it is, and how much has left', async () => {
    const parts: number[] = [];
    const { done } = send((p) => parts.push(p));
    const x = FakeRequest.last;
    expect(x.url).toBe('/api/encounters/e%201/stills?request=r1');
    expect(x.headers).toMatchObject({ 'Content-Type': 'image/jpeg', 'Content-Digest': 'sha-256=:AAAA:', 'Idempotency-Key': 'k1', 'Accept-Language': 'fr' });
    expect(x.sent).toBe(shot.blob);
    x.upload.onprogress?.({ loaded: 5, total: 10, lengthComputable: true });
    expect(parts).toEqual([0.5]);
    x.answers(201, '{}');
    expect(await why(done)).toBe('sent');
  });

  test('tells a refusal, an answer of somebody else, a lost network, and one that stands still', async () => {
    let { done } = send();
    FakeRequest.last.answers(410, '{"code":"still-act-over"}');
    expect(await why(done)).toBe('410 still-act-over');
    ({ done } = send());
    FakeRequest.last.answers(502, '<html>');
    expect(await why(done)).toBe('502 unavailable');
    ({ done } = send());
    FakeRequest.last.onerror();
    expect(await why(done)).toBe('0 unreachable');
    ({ done } = send());
    const slow = why(done);
    vi.advanceTimersByTime(29_000);
    FakeRequest.last.upload.onprogress?.({ loaded: 1, total: 10, lengthComputable: true });
    vi.advanceTimersByTime(29_000);
    vi.advanceTimersByTime(2_000);
    expect(await slow).toBe('0 slow');
  });
});
