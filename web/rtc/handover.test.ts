// One connection takes the place of another while both carry: what is shown, what is closed, and when something goes wrong.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { FakePeerConnection, FakeStream } from './fakes';
import { Link } from './link';

describe('a node that hands its calls over', () => {
  const offers: number[] = [];
  let link: Link;
  let may: boolean;
  let changes: number;
  const old = () => FakePeerConnection.all[0] as FakePeerConnection;
  const pc = () => FakePeerConnection.all.at(-1) as FakePeerConnection;
  const slots = (paused?: boolean) => [
    { mid: '4', seat: 'doc', kind: 'audio' as const, source: 'voice' as const },
    { mid: '10', seat: 'doc', kind: 'video' as const, source: 'camera' as const, ...(paused ? { paused } : {}) },
  ];
  /** What comes over a connection, per 100 ms. */
  const carries = (on: FakePeerConnection, flow: { voice: number; frames: number }) => {
    const sum = { voice: 0, frames: 0 };
    const timer = setInterval(() => {
      sum.voice += flow.voice;
      sum.frames += flow.frames;
    }, 100);
    timers.push(timer);
    on.stats = () => [
      { id: 't', type: 'transport', selectedCandidatePairId: 'p' },
      { id: 'p', type: 'candidate-pair', bytesReceived: 1000 * (sum.voice + sum.frames), bytesSent: 1 },
      { id: 'a', type: 'inbound-rtp', kind: 'audio', mid: '4', packetsReceived: sum.voice },
      { id: 'v', type: 'inbound-rtp', kind: 'video', mid: '10', framesDecoded: sum.frames },
      { id: 'o', type: 'outbound-rtp', packetsSent: Date.now() },
    ];
    return flow;
  };
  const timers: ReturnType<typeof setInterval>[] = [];
  const track = { id: 'mine', kind: 'video' } as unknown as MediaStreamTrack;
  /** Whose stream is shown: the old connection's or the new one's. */
  const shown = (source: 'voice' | 'camera') => {
    const list = link.remote();
    expect(list.map((m) => m.seat)).toEqual(list.length > 0 ? ['doc'] : []);
    const stream = list[0]?.[source] as unknown as FakeStream | undefined;
    const from = FakePeerConnection.all.findIndex((p) => p.transceivers.some((t) => t.receiver.track === stream?.tracks[0]));
    return stream ? from + 1 : 0;
  };

  beforeEach(async () => {
    vi.useFakeTimers();
    vi.stubGlobal('RTCPeerConnection', FakePeerConnection);
    vi.stubGlobal('RTCRtpReceiver', {});
    vi.stubGlobal('RTCRtpSender', {});
    vi.stubGlobal('MediaStream', FakeStream);
    FakePeerConnection.all = [];
    offers.length = 0;
    may = true;
    changes = 0;
    link = new Link(6, undefined, {
      offer: (n) => offers.push(n), report: () => undefined, doubt: () => undefined, changed: () => (changes += 1), opened: () => link.put('camera', track),
      ice: async () => ({ servers: [], expiresAt: '2030-01-01T00:00:00Z', policy: 'all' }),
      reachable: () => true, session: () => 's1', may: () => may, expects: () => true, sendsCamera: () => false, second: () => undefined,
    });
    link.open();
    await vi.advanceTimersByTimeAsync(0);
    old().becomes('connected');
    link.bind(1, slots());
    carries(old(), { voice: 5, frames: 2 });
    await vi.dynamicImportSettled();
    await vi.advanceTimersByTimeAsync(3000);
  });
  afterEach(() => {
    link.close();
    for (const t of timers.splice(0)) clearInterval(t);
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });
  const drain = async () => {
    link.rejoin(link.pc, 'node_draining');
    await vi.advanceTimersByTimeAsync(0);
  };

  test('the new one is made beside the old, both send, each source changes over when it comes, then the old one ends', async () => {
    await drain();
    expect([offers, old().closed, link.media]).toEqual([[1, 2], false, 'up']);
    expect(FakePeerConnection.all.map((p) => p.transceivers[1]?.sender.track)).toEqual([track, track]);
    link.bind(2, slots());
    expect([shown('voice'), shown('camera')]).toEqual([1, 1]);
    pc().becomes('connected');
    const flow = carries(pc(), { voice: 5, frames: 0 });
    await vi.advanceTimersByTimeAsync(500);
    expect([shown('voice'), shown('camera')]).toEqual([2, 1]); // a voice is never heard twice, a picture never black
    const before = changes;
    flow.frames = 2;
    await vi.advanceTimersByTimeAsync(400);
    expect([shown('voice'), shown('camera')]).toEqual([2, 2]);
    expect(changes).toBeGreaterThan(before);
    expect(old().closed).toBe(false); // the others may see us there a moment longer
    await vi.advanceTimersByTimeAsync(1500);
    expect([old().closed, pc().closed, link.media, shown('voice'), shown('camera')]).toEqual([true, false, 'up', 2, 2]);
    expect(FakePeerConnection.all).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(20_000);
    expect([link.media, FakePeerConnection.all.length]).toEqual(['up', 2]);
  });

  test('what the old one does not bring is not waited for: a camera that is off, a picture held back', async () => {
    link.bind(1, slots(true));
    carries(old(), { voice: 5, frames: 0 });
    await vi.advanceTimersByTimeAsync(1500);
    await drain();
    link.bind(2, slots(true));
    pc().becomes('connected');
    carries(pc(), { voice: 5, frames: 0 });
    await vi.advanceTimersByTimeAsync(3000);
    expect([old().closed, link.media]).toEqual([true, 'up']);
  });

  test('who does not come to the new one is seen on the old one for 6 s, and no longer', async () => {
    await drain();
    link.bind(2, []);
    pc().becomes('connected');
    carries(pc(), { voice: 0, frames: 0 });
    await vi.advanceTimersByTimeAsync(5900);
    expect([shown('voice'), old().closed]).toEqual([1, false]);
    await vi.advanceTimersByTimeAsync(500);
    expect([link.remote(), old().closed]).toEqual([[], true]);
  });

  test('the old one dies meanwhile: the new one is all there is, and the call is cut until it stands', async () => {
    await drain();
    old().becomes('failed');
    await vi.advanceTimersByTimeAsync(300);
    expect([link.media, old().closed, pc().closed]).toEqual(['cut', true, false]);
    pc().becomes('connected');
    expect(link.media).toBe('up');
    expect(offers).toEqual([1, 2]);
  });

  test('the old one dies when the new one stands: nobody hears of it', async () => {
    await drain();
    pc().becomes('connected');
    link.bind(2, slots());
    old().becomes('closed');
    await vi.advanceTimersByTimeAsync(300);
    expect([link.media, shown('voice')]).toEqual(['up', 2]);
  });

  test('a new one that never stands is made again beside the old', async () => {
    await drain();
    await vi.advanceTimersByTimeAsync(15_100);
    expect([offers, old().closed, FakePeerConnection.all[1]?.closed, link.media]).toEqual([[1, 2, 3], false, true, 'up']);
    link.rebuild(); // the server does not know it
    await vi.advanceTimersByTimeAsync(0);
    expect([offers, old().closed]).toEqual([[1, 2, 3, 4], false]);
  });

  test.each(['node_draining', 'node_lost'])('a second rejoin meanwhile (%s): another attempt, the old one still carries', async (reason) => {
    await drain();
    link.rejoin(2, reason);
    await vi.advanceTimersByTimeAsync(0);
    expect([offers, old().closed, FakePeerConnection.all[1]?.closed]).toEqual([[1, 2, 3], false, true]);
    link.rejoin(1, reason); // an old story
    await vi.advanceTimersByTimeAsync(0);
    expect(offers).toEqual([1, 2, 3]);
  });

  test('a second node drains when the first new one stands: that one is the old one then', async () => {
    await drain();
    pc().becomes('connected');
    link.rejoin(2, 'node_draining');
    await vi.advanceTimersByTimeAsync(0);
    expect(FakePeerConnection.all.map((p) => p.closed)).toEqual([true, false, false]);
    expect([offers, link.media]).toEqual([[1, 2, 3], 'up']);
  });

  test('a node that is lost, and an unknown reason: the old one carries nothing any more', async () => {
    link.rejoin(1, 'node_gone');
    await vi.advanceTimersByTimeAsync(0);
    expect([offers, old().closed, link.media]).toEqual([[1, 2], true, 'cut']);
  });

  test('a new session that goes on with the new one keeps both; one that has none begins again', async () => {
    await drain();
    expect(link.kept).toEqual({ session: 's1', pc: 2 });
    link.renew(2);
    expect(FakePeerConnection.all.map((p) => p.closed)).toEqual([false, false]);
    link.renew(undefined);
    expect(FakePeerConnection.all.map((p) => p.closed)).toEqual([true, true]);
    link.open();
    await vi.advanceTimersByTimeAsync(0);
    expect([offers, link.media]).toEqual([[1, 2, 1], 'cut']);
  });

  test('leaving in the middle closes both, and nothing is made any more', async () => {
    await drain();
    may = false;
    link.close();
    await vi.advanceTimersByTimeAsync(30_000);
    expect([FakePeerConnection.all.map((p) => p.closed), link.remote(), link.media]).toEqual([[true, true], [], 'none']);
  });

  test('leaving before the new one is made', async () => {
    link.rejoin(1, 'node_draining');
    may = false;
    link.close();
    await vi.advanceTimersByTimeAsync(30_000);
    expect(FakePeerConnection.all.map((p) => p.closed)).toEqual([true]);
  });

  test('the device changes network meanwhile: only the new one moves', async () => {
    await drain();
    pc().becomes('connected');
    link.moved();
    await vi.advanceTimersByTimeAsync(0);
    expect([old().closed, old().restarts, link.media]).toEqual([true, 0, 'up']);
    expect(offers).toEqual([1, 2, 2]);
  });
});
